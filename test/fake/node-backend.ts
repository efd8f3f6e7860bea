/**
 * A server on node:http for what proxies find hard; transpiled and run by node. Says its port in
 * one line on standard output.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const BLOCK = Buffer.alloc(64 * 1024, "0123456789abcdef");

const answers: Record<
  string,
  (request: IncomingMessage, response: ServerResponse, url: URL) => void
> = {
  /** So many bytes, as fast as they are taken. */
  "/bytes"(_request, response, url) {
    let left = Number(url.searchParams.get("n"));
    if (url.searchParams.has("length")) response.setHeader("Content-Length", left);
    const more = (): void => {
      while (left > 0) {
        const piece = BLOCK.subarray(0, Math.min(left, BLOCK.length));
        left -= piece.length;
        if (!response.write(piece)) return void response.once("drain", more);
      }
      response.end();
    };
    more();
  },
  /** What came: its length and its SHA-256, and what came behind it. */
  "/sum"(request, response) {
    const hash = createHash("sha256");
    let length = 0;
    request.on("data", (bytes: Buffer) => {
      hash.update(bytes);
      length += bytes.length;
    });
    request.on("end", () => {
      const { method, trailers, headers } = request;
      response.end(JSON.stringify({ method, length, sum: hash.digest("hex"), trailers, headers }));
    });
  },
  /** Takes nothing of what comes. */
  "/stall"() {},
  "/hints"(_request, response) {
    response.writeEarlyHints({ link: "</a.css>; rel=preload", "x-early": "1" });
    response.writeProcessing();
    setTimeout(() => response.end("done"), 100);
  },
  "/trailers"(_request, response) {
    response.writeHead(200, { Trailer: "X-Sum" });
    response.write("hello");
    response.addTrailers({ "X-Sum": "5d41", Connection: "evil" });
    response.end();
  },
  "/events"(_request, response) {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    let count = 0;
    const timer = setInterval(() => {
      response.write(`data: ${++count}\n\n`);
      if (count < 5) return;
      clearInterval(timer);
      response.end();
    }, 100);
  },
  "/hello"(_request, response) {
    response.end("hello");
  },
};

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://backend");
  const answer = answers[url.pathname];
  if (answer !== undefined) return answer(request, response, url);
  response.statusCode = 404;
  response.end();
});
server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
  response.writeContinue();
  server.emit("request", request, response);
});
server.keepAliveTimeout = 60_000;
server.requestTimeout = 0;
server.listen(0, "127.0.0.1", () =>
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`),
);
