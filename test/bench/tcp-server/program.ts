/**
 * The seed's benchmark server as a TcpServer program: HTTP just as far as a load generator needs it.
 *
 *     bun test/bench/tcp-server/program.ts PORT TLS_PORT DIR      (DIR has tls.pem and tls.key)
 *
 *     /1k  /16k           so many bytes
 *     /aes                1 KB, encrypted anew each time (AES-128-CBC)
 *     /sleep              128 bytes, after a millisecond
 */
import { createCipheriv } from "node:crypto";

import type { Connection } from "../../../src/net/tcp-server/connection.ts";
import { TcpServer } from "../../../src/net/tcp-server/tcp-server.ts";
import { CertificateStore } from "../../../src/net/tls/store.ts";

/** A request that is longer is none of a load generator's. */
const ROOM = 4096;
const SLEEP_MS = 1;
const KEY = Buffer.alloc(16, 1);
const IV = Buffer.alloc(16, 2);

const [port = "0", tlsPort = "0", dir = "."] = process.argv.slice(2);

interface Page {
  /** With its head; the connection is closed behind it, or not. */
  readonly bytes: (close: boolean) => Uint8Array;
  readonly sleep: boolean;
}
const fixed = (length: number, sleep = false): Page => {
  const body = Buffer.alloc(length, "a");
  const [open, closed] = [response(body, false), response(body, true)];
  return { bytes: (close) => (close ? closed : open), sleep };
};
const secret = Buffer.alloc(1024, "a");
const PAGES: Readonly<Record<string, Page>> = {
  "/1k": fixed(1024),
  "/16k": fixed(16 * 1024),
  "/sleep": fixed(128, true),
  "/aes": { bytes: (close) => response(encrypt(secret), close), sleep: false },
  "/": fixed(2),
};

function encrypt(bytes: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-128-cbc", KEY, IV);
  return Buffer.concat([cipher.update(bytes), cipher.final()]);
}

function response(body: Uint8Array, close: boolean): Buffer {
  const type = `Content-Type: text/plain\r\nContent-Length: ${body.length}\r\n`;
  const head = `HTTP/1.1 200 OK\r\n${type}${close ? "Connection: close\r\n" : ""}\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

const buffers: Buffer[] = [];

async function serve(connection: Connection<undefined>): Promise<void> {
  const bytes = buffers.pop() ?? Buffer.from(new ArrayBuffer(ROOM));
  try {
    for (let length = 0; ;) {
      const got = connection.read(length === 0 ? bytes : bytes.subarray(length));
      const n = typeof got === "number" ? got : await got;
      length += n;
      if (n === 0 || length === ROOM) return;
      if (bytes.toString("latin1", length - 4, length) !== "\r\n\r\n") continue;
      const page = PAGES[bytes.toString("latin1", 4, bytes.indexOf(32, 4))];
      if (page === undefined) return;
      if (page.sleep) await Bun.sleep(SLEEP_MS);
      const close = bytes.toString("latin1", 0, length).includes("\r\nConnection: close");
      const late = connection.write(page.bytes(close));
      if (late !== undefined) await late;
      if (close) return;
      length = 0;
    }
  } finally {
    buffers.push(bytes);
  }
}

const [cert, key] = await Promise.all(
  ["tls.pem", "tls.key"].map((name) => Bun.file(`${dir}/${name}`).text()),
);
const certificates = new CertificateStore();
certificates.change({ certificates: [{ cert: cert ?? "", key: key ?? "", names: ["bench"] }] });
const options = { context: undefined, handler: serve, socket: { backlog: 8192 } };
const clear = new TcpServer({ ...options, listen: `127.0.0.1:${port}` });
const secure = new TcpServer({
  ...options,
  listen: `127.0.0.1:${tlsPort}`,
  tls: { certificates, alpn: [] },
});
process.once("SIGTERM", () => {
  void Promise.all([clear.shutdown(1000), secure.shutdown(1000)]).then(() => process.exit(0));
});
