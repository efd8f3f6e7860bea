// The seed's benchmark server by fasthttp: fasthttp PORT TLS_PORT DIR
package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"log"
	"os"
	"time"

	"github.com/valyala/fasthttp"
)

var key, iv = bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{2}, 16)
var secret = bytes.Repeat([]byte("a"), 1024)
var pages = map[string][]byte{
	"/":      []byte("ok"),
	"/1k":    bytes.Repeat([]byte("a"), 1024),
	"/16k":   bytes.Repeat([]byte("a"), 16*1024),
	"/sleep": bytes.Repeat([]byte("a"), 128),
}

func encrypt(plain []byte) []byte {
	block, _ := aes.NewCipher(key)
	padding := aes.BlockSize - len(plain)%aes.BlockSize
	padded := append(append([]byte{}, plain...), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(padded, padded)
	return padded
}

func handle(c *fasthttp.RequestCtx) {
	path := string(c.Path())
	body := pages[path]
	switch path {
	case "/aes":
		body = encrypt(secret)
	case "/sleep":
		time.Sleep(time.Millisecond)
	}
	c.SetContentType("text/plain")
	c.Write(body)
}

func main() {
	port, tls, dir := os.Args[1], os.Args[2], os.Args[3]
	server := func() *fasthttp.Server {
		return &fasthttp.Server{Handler: handle, NoDefaultServerHeader: true, NoDefaultDate: true, Logger: quiet{}}
	}
	go func() { log.Fatal(server().ListenAndServeTLS("127.0.0.1:"+tls, dir+"/tls.pem", dir+"/tls.key")) }()
	log.Fatal(server().ListenAndServe("127.0.0.1:" + port))
}

type quiet struct{}

func (quiet) Printf(string, ...interface{}) {}
