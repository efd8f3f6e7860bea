/**
 * Load for pipelined requests, as a program of its own: keeps every connection in a circle of
 * sending `depth` requests in one write and waiting for the bytes of `depth` answers. wrk parses
 * every answer it gets and is then slower than either server, so that the faster one looks no
 * better than wrk. Here the first answer is read and checked; after that answers are counted by
 * their length, which does not change, and the last ones are checked again.
 *
 *     bun test/bench/burst.ts PORT PATH DEPTH CONNECTIONS SECONDS HEADERS-AS-JSON
 *
 * Prints `RESULT requests bytes microseconds errors`.
 */
import { connect } from "node:net";

import { Epoll } from "../../src/sys/epoll.ts";
import { openLibc } from "../../src/sys/libc.ts";
import { block, pointer } from "../../src/sys/memory.ts";
import { emit } from "../../src/sys/sockaddr.ts";
import { AGAIN, close, receive, send } from "../../src/sys/socket.ts";

const libc = openLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
});
const AF_INET = 2;
const SOCK_STREAM = 1;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const EPOLLIN = 1;
const MAX_CONNECTIONS = 4096;

const [portText = "", path = "/", ...rest] = process.argv.slice(2);
const port = Number(portText);
const [depth = 1, connections = 1, seconds = 1] = rest.slice(0, 3).map(Number);
const headers = JSON.parse(rest[3] ?? "{}") as Record<string, string>;

const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
const one = `GET ${path} HTTP/1.1\r\n${fields.join("")}\r\n`;
const answerLength = await measure();

const request = block(one.length * depth);
request.bytes.set(Buffer.from(one.repeat(depth), "latin1"));
const READ = block(256 * 1024);
const epoll = new Epoll(MAX_CONNECTIONS);
/** Bytes still to come, by fd. */
const due = new Float64Array(MAX_CONNECTIONS + 64);
const fds = Array.from({ length: connections }, open);

let requests = 0;
let bytes = 0;
let errors = 0;
const began = performance.now();
const end = began + seconds * 1000;
for (const fd of fds) ask(fd);
while (performance.now() < end) {
  const ready = epoll.wait(100);
  for (let i = 0; i < ready; i++) hear(epoll.fdAt(i));
}
const micros = Math.round((performance.now() - began) * 1000);
for (const fd of fds) close(fd);
if ((await measure()) !== answerLength) errors++;
process.stdout.write(`RESULT ${requests} ${bytes} ${micros} ${errors}\n`);
process.exit(0);

function open(): number {
  const fd = libc.socket(AF_INET, SOCK_STREAM, 0);
  const where = emit({ kind: "inet", host: "127.0.0.1", port });
  if (where === undefined) throw new Error(`no such port: ${port}`);
  const name = block(where.length);
  name.bytes.set(where);
  if (fd < 0 || libc.connect(fd, pointer(name.at), where.length) < 0) throw new Error("connect");
  libc.fcntl(fd, F_SETFL, O_NONBLOCK);
  epoll.add(fd, EPOLLIN);
  return fd;
}

function ask(fd: number): void {
  // A few hundred bytes into an empty socket buffer: taken whole, or the connection is broken.
  if (send(fd, request.at, request.bytes.length, false) !== request.bytes.length) errors++;
  due[fd] = answerLength * depth;
}

function hear(fd: number): void {
  const n = receive(fd, READ.at, READ.bytes.length);
  if (n === AGAIN) return;
  if (n <= 0) {
    errors++;
    return epoll.remove(fd);
  }
  bytes += n;
  due[fd]! -= n;
  if (due[fd]! < 0) errors++;
  if (due[fd]! > 0) return;
  requests += depth;
  ask(fd);
}

/** Bytes of one whole answer; throws when it is no 200. */
function measure(): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(one));
    let text = "";
    socket.on("error", reject);
    socket.on("data", (d) => {
      text += d.toString("latin1");
      const head = text.indexOf("\r\n\r\n");
      const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
      if (head < 0 || length === undefined) return;
      const whole = head + 4 + Number(length);
      if (text.length < whole) return;
      socket.destroy();
      if (text.startsWith("HTTP/1.1 200 ")) resolve(whole);
      else reject(new Error(text.slice(0, head)));
    });
  });
}
