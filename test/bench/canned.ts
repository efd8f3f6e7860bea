/**
 * A server that costs as little as one can, so that whoever stands before it is the limit: every
 * request, whatever it asks, gets the same 1 KB over a connection that stays open. A request is
 * what ends in an empty line and comes in one piece, as those of burst.ts do.
 *
 *     bun test/bench/canned.ts PORT
 */
import { Epoll } from "../../src/sys/epoll.ts";
import { listenStream } from "../../src/sys/listen.ts";
import { block } from "../../src/sys/memory.ts";
import { accept, AGAIN, close, noDelay, receive, send } from "../../src/sys/socket.ts";

const EPOLLIN = 1;
const BATCH = 512;
const LF = 10;
const OPTIONS = { backlog: 8192, reusePort: false, fastOpen: 0, deferAccept: 0 };

const body = "tern".repeat(256);
const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n`;
const answer = block(head.length + body.length);
answer.bytes.set(Buffer.from(head + body, "latin1"));
const read = block(64 * 1024);

const port = Number(process.argv[2]);
const listener = listenStream({ kind: "tcp", host: "127.0.0.1", port }, OPTIONS).fd;
const epoll = new Epoll(BATCH);
epoll.add(listener, EPOLLIN);
for (;;) {
  const ready = epoll.wait(-1);
  for (let i = 0; i < ready; i++) {
    const fd = epoll.fdAt(i);
    if (fd === listener) welcome();
    else hear(fd);
  }
}

function welcome(): void {
  for (let fd; (fd = accept(listener)) >= 0;) {
    noDelay(fd);
    epoll.add(fd, EPOLLIN);
  }
}

function hear(fd: number): void {
  const n = receive(fd, read.at, read.bytes.length);
  if (n === AGAIN) return;
  if (n <= 0) close(fd);
  else if (read.bytes[n - 3] === LF && read.bytes[n - 1] === LF)
    send(fd, answer.at, answer.bytes.length, false);
}
