// The seed's benchmark server by Go's net/http: net-http PORT TLS_PORT DIR
package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"
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

func handle(w http.ResponseWriter, r *http.Request) {
	body := pages[r.URL.Path]
	switch r.URL.Path {
	case "/aes":
		body = encrypt(secret)
	case "/sleep":
		time.Sleep(time.Millisecond)
	}
	w.Header()["Date"] = nil
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

func main() {
	port, tls, dir := os.Args[1], os.Args[2], os.Args[3]
	handler := http.HandlerFunc(handle)
	// HTTP/1.1 only, as the others.
	secure := &http.Server{Addr: "127.0.0.1:" + tls, Handler: handler, ErrorLog: log.New(discard{}, "", 0)}
	os.Setenv("GODEBUG", "http2server=0")
	go func() { log.Fatal(secure.ListenAndServeTLS(dir+"/tls.pem", dir+"/tls.key")) }()
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, handler))
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
