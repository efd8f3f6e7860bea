import { afterEach, describe, expect, test } from "bun:test";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";

import type { Address } from "../../src/core/address.ts";
import { bindDatagram, isDatagram, isWildcard } from "../../src/sys/datagram-socket.ts";
import { DatagramBatch } from "../../src/sys/datagram.ts";
import { listenStream } from "../../src/sys/listen.ts";
import { getOption } from "../../src/sys/socket-options.ts";
import { close } from "../../src/sys/socket.ts";
import { freePort } from "../fake/ports.ts";
import { asRoot, needs } from "./needs.ts";

const hasIp6 = await Bun.file("/proc/net/if_inet6").exists();
const made: number[] = [];
const clients: Socket[] = [];
afterEach(() => {
  for (const fd of made.splice(0)) close(fd);
  for (const client of clients.splice(0)) client.close();
});

const udp = (host: string, port = 0): Address => ({ kind: "tcp", host, port });
const BUFFER = 64 * 1024;

function bind(address: Address, reusePort = false): { fd: number; port: number } {
  const socket = bindDatagram(address, { reusePort, buffer: BUFFER });
  made.push(socket.fd);
  return socket;
}

/** A client that keeps what it hears. */
async function client(
  type: "udp4" | "udp6",
  host: string,
): Promise<{ socket: Socket; heard: { text: string; from: RemoteInfo }[] }> {
  const socket = createSocket(type);
  clients.push(socket);
  const heard: { text: string; from: RemoteInfo }[] = [];
  socket.on("message", (bytes, from) => heard.push({ text: bytes.toString(), from }));
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  return { socket, heard };
}

const send = (socket: Socket, text: string, port: number, host: string): Promise<void> =>
  new Promise((resolve) => socket.send(text, port, host, () => resolve()));

/** Answer each datagram with its own bytes in capitals, those that begin with "-" not at all. */
function shout(batch: DatagramBatch, fd: number): { client: number[]; port: number }[] {
  const seen: { client: number[]; port: number }[] = [];
  for (let n = batch.receive(fd), i = 0; i < n; i++) {
    seen.push({ client: [...batch.clientOf(i)], port: batch.portOf(i) });
    const at = i * batch.room;
    const text = Buffer.from(batch.bytes.subarray(at, at + batch.lengthOf(i))).toString();
    if (text.startsWith("-")) continue;
    const answer = Buffer.from(batch.cut(i) ? "cut" : text.toUpperCase());
    batch.answers.set(answer, batch.answerAt);
    batch.answer(i, answer.length);
  }
  batch.send(fd);
  return seen;
}

async function eventually(done: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !done(); i++) await Bun.sleep(5);
  expect(done()).toBe(true);
}

describe("a batch", () => {
  test("answers many, each to whom it came from, but not those that want none", async () => {
    const { fd, port } = bind(udp("127.0.0.1"));
    const batch = new DatagramBatch(8, 64, 64);
    const [a, b] = [await client("udp4", "127.0.0.1"), await client("udp4", "127.0.0.1")];
    await send(a.socket, "one", port, "127.0.0.1");
    await send(b.socket, "-two", port, "127.0.0.1");
    await send(b.socket, "three", port, "127.0.0.1");
    const seen = shout(batch, fd);
    expect(seen).toEqual([
      { client: [127, 0, 0, 1], port: a.socket.address().port },
      { client: [127, 0, 0, 1], port: b.socket.address().port },
      { client: [127, 0, 0, 1], port: b.socket.address().port },
    ]);
    await eventually(() => a.heard.length + b.heard.length === 2);
    expect([a.heard[0]?.text, b.heard[0]?.text]).toEqual(["ONE", "THREE"]);

    // The headers are used again: what stands in them from before must not show.
    await send(b.socket, "again", port, "127.0.0.1");
    await send(a.socket, "and again", port, "127.0.0.1");
    shout(batch, fd);
    await eventually(() => a.heard.length + b.heard.length === 4);
    expect([a.heard[1]?.text, b.heard[1]?.text]).toEqual(["AND AGAIN", "AGAIN"]);
    expect(batch.receive(fd)).toBe(0);
  });

  test("more than one batch takes more than one call", async () => {
    const { fd, port } = bind(udp("127.0.0.1"));
    const batch = new DatagramBatch(4, 64, 64);
    const { socket, heard } = await client("udp4", "127.0.0.1");
    for (let i = 0; i < 10; i++) await send(socket, `n${i}`, port, "127.0.0.1");
    expect([shout(batch, fd), shout(batch, fd), shout(batch, fd)].map((s) => s.length)).toEqual([
      4, 4, 2,
    ]);
    await eventually(() => heard.length === 10);
    expect(heard.map((h) => h.text)).toEqual(Array.from({ length: 10 }, (_, i) => `N${i}`));
  });

  test("a datagram longer than its room is said to be cut", async () => {
    const { fd, port } = bind(udp("127.0.0.1"));
    const batch = new DatagramBatch(4, 16, 64);
    const { socket, heard } = await client("udp4", "127.0.0.1");
    await send(socket, "exactly sixteen!", port, "127.0.0.1");
    await send(socket, "exactly seventeen", port, "127.0.0.1");
    shout(batch, fd);
    await eventually(() => heard.length === 2);
    expect(heard.map((h) => h.text)).toEqual(["EXACTLY SIXTEEN!", "cut"]);
  });

  test("one that cannot be sent costs only itself", async () => {
    const { fd, port } = bind(udp("127.0.0.1"));
    const batch = new DatagramBatch(4, 64, 70_000);
    const { socket, heard } = await client("udp4", "127.0.0.1");
    for (const text of ["a", "b", "c"]) await send(socket, text, port, "127.0.0.1");
    expect(batch.receive(fd)).toBe(3);
    batch.answers[batch.answerAt] = 65;
    batch.answer(0, 1);
    batch.answer(1, 66_000); // no datagram is so long: EMSGSIZE
    batch.answers[batch.answerAt] = 67;
    batch.answer(2, 1);
    expect(batch.send(fd)).toBe(2);
    await eventually(() => heard.length === 2);
    expect(heard.map((h) => h.text)).toEqual(["A", "C"]);
  });

  test("a descriptor that is no socket is told", () => {
    expect(() => new DatagramBatch(1, 16, 16).receive(0x7ffe)).toThrow("recvmmsg fd 32766: EBADF");
  });
});

describe("the answer comes from where the question went", () => {
  const families = [
    {
      bound: "0.0.0.0",
      type: "udp4",
      from: "127.0.0.1",
      to: "127.0.0.9",
      wildcard: true,
      ip6: false,
    },
    {
      bound: "127.0.0.9",
      type: "udp4",
      from: "127.0.0.1",
      to: "127.0.0.9",
      wildcard: false,
      ip6: false,
    },
    { bound: "", type: "udp4", from: "127.0.0.1", to: "127.0.0.9", wildcard: true, ip6: true },
    { bound: "", type: "udp6", from: "::1", to: "::1", wildcard: true, ip6: true },
    { bound: "::", type: "udp6", from: "::1", to: "::1", wildcard: true, ip6: true },
    { bound: "::1", type: "udp6", from: "::1", to: "::1", wildcard: false, ip6: true },
  ] as const;
  for (const { bound, type, from, to, wildcard, ip6 } of families)
    needs(!ip6 || hasIp6, "IPv6")(`bound to "${bound}", asked at ${to}`, async () => {
      const { fd, port } = bind(udp(bound));
      expect([isDatagram(fd), isWildcard(fd)]).toEqual([true, wildcard]);
      const batch = new DatagramBatch(4, 64, 64);
      const { socket, heard } = await client(type, from);
      for (let round = 1; round <= 2; round++) {
        await send(socket, "hello", port, to);
        const [seen] = shout(batch, fd);
        expect(seen?.client.length).toBe(type === "udp4" ? 4 : 16);
        await eventually(() => heard.length === round);
        expect(heard.at(-1)?.from).toMatchObject({ address: to, port });
      }
    });
});

describe("sockets", () => {
  test("options the kernel has", () => {
    const { fd } = bind(udp("127.0.0.1"), true);
    expect(getOption(fd, "SO_REUSEPORT")).toBe(1);
    expect(getOption(fd, "SO_RCVBUF")).toBe(2 * BUFFER);
    expect(getOption(fd, "SO_SNDBUF")).toBe(2 * BUFFER);
    expect(getOption(fd, "IP_MTU_DISCOVER")).toBe(5);
  });

  asRoot("root is given more than net.core.rmem_max", () => {
    const { fd } = bindDatagram(udp("127.0.0.1"), { reusePort: false, buffer: 8 << 20 });
    made.push(fd);
    expect(getOption(fd, "SO_RCVBUF")).toBe(16 << 20);
  });

  test("a port is one socket's, or with SO_REUSEPORT several's; TCP's are others", async () => {
    const port = await freePort();
    bind(udp("127.0.0.1", port), true);
    expect(bind(udp("127.0.0.1", port), true).port).toBe(port);
    expect(() => bind(udp("127.0.0.1", port))).toThrow(`bind 127.0.0.1:${port}: EADDRINUSE`);
    const stream = listenStream(udp("127.0.0.1", port), {
      backlog: 1,
      reusePort: false,
      fastOpen: 0,
      deferAccept: 0,
    });
    made.push(stream.fd);
    expect([stream.port, isDatagram(stream.fd)]).toEqual([port, false]);
  });

  test.each([
    { address: udp("192.0.2.1", 53), says: "bind 192.0.2.1:53: EADDRNOTAVAIL" },
    { address: udp("no.such.name", 53), says: "bind no.such.name:53: EADDRNOTAVAIL" },
    { address: { kind: "unix", path: "/x" } as const, says: "bind unix:/x: EADDRNOTAVAIL" },
  ])("$says", ({ address, says }) => {
    expect(() => bind(address)).toThrow(says);
  });
});
