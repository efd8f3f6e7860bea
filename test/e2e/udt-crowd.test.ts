/** libudt's own test program, one side of which is ours: many sockets, in threads, over one port and over many. */
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect, createServer, type Socket } from "node:net";

import { reactor } from "../../src/net/reactor-loop.ts";
import { UdtEndpoint } from "../../src/net/udt/endpoint.ts";
import { UdtStream } from "../../src/net/udt/stream.ts";
import { connectUdt, rendezvousUdt } from "../../src/net/udt/udt.ts";
import { Bbr } from "../../src/wire/udt/congestion/bbr.ts";
import { freePort, freePorts } from "../fake/ports.ts";
import { buildPeers, HAS_LIBUDT } from "../net/udt/peers/build.ts";
import { type Said, said } from "./binary.ts";

setDefaultTimeout(120_000);

/** What the program has: numbers in the first test, sockets in the others, and threads that have them. */
const NUMBERS = 10_000;
const SOCKETS = 200;
const TCP_SOCKETS = 10;
const MEETINGS = 50;
const THREADS = 40;
const PER_THREAD = 25;

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A socket of ours for any number of connections. */
function endpoint(port = 0): UdtEndpoint {
  const made = new UdtEndpoint({
    address: { kind: "tcp", host: "127.0.0.1", port },
    kind: "stream",
    reactor: reactor(),
    congestion: () => new Bbr(),
  });
  ends.push(() => made.close());
  return made;
}

/** Listens where libudt's client comes. `came`: `count` connections, once they are all here. */
function server(port: number, count: number): { came: Promise<UdtStream[]>; own: UdtEndpoint } {
  const own = endpoint(port);
  const streams: UdtStream[] = [];
  const { promise, resolve } = Promise.withResolvers<UdtStream[]>();
  own.listen((line) => {
    streams.push(new UdtStream(line));
    if (streams.length === count) resolve(streams);
  });
  return { came: promise, own };
}

async function client(own: UdtEndpoint, port: number): Promise<UdtStream> {
  const line = own.dial("client", "127.0.0.1", port, () => {});
  if (line === undefined) throw new Error("127.0.0.1 is an address");
  const stream = new UdtStream(line);
  await stream.opened();
  return stream;
}

/** What one side of libudt's test `which` says until it ends: what it tests, and what goes wrong. */
async function half(side: "server" | "client", which: number, port: number): Promise<Said> {
  return said([(await buildPeers()).half, side, String(which), String(port)]);
}

/** Until somebody has a UDP socket at `port`. */
async function bound(port: number): Promise<void> {
  const place = `:${port.toString(16).toUpperCase().padStart(4, "0")} `;
  while (!(await Bun.file("/proc/net/udp").text()).includes(place)) await Bun.sleep(5);
}

/** All of them until the other closes. */
async function numbers(stream: UdtStream): Promise<number[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return [...new Int32Array(new Uint8Array(Buffer.concat(pieces)).buffer)];
}

/** A connection to a TCP server that may not be there yet. */
async function tcpTo(port: number): Promise<Socket> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    ends.push(() => socket.destroy());
    const { promise, resolve } = Promise.withResolvers<boolean>();
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    if (await promise) return socket;
    await Bun.sleep(5);
  }
}

/** Until it has no connections any more. */
async function empty(own: UdtEndpoint): Promise<void> {
  while (own.size > 0) await Bun.sleep(5);
}

function bytesOf(...values: number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

describe.skipIf(!HAS_LIBUDT)("libudt's own test, and our", () => {
  const all = Array.from({ length: NUMBERS }, (_, i) => i);
  const well = (out: string): Said => ({ out, err: "", code: 0 });

  test("server of a stream", async () => {
    const { came, own } = server(0, 1);
    const theirs = half("client", 1, own.address.port);
    const [stream] = await came;
    expect(stream && (await numbers(stream))).toEqual(all);
    expect(await theirs).toEqual(well(""));
  });

  test("client of a stream", async () => {
    const port = await freePort();
    const theirs = half("server", 1, port);
    await bound(port);
    const stream = await connectUdt(`127.0.0.1:${port}`);
    await stream.write(bytesOf(...all));
    await stream.end();
    expect(await theirs).toEqual(well("Testing simple data transfer.\n"));
  });

  test("server of many, from ports of their own and from one, beside TCP", async () => {
    const port = await freePort();
    const { came, own } = server(port, SOCKETS);
    const tcp = createServer();
    ends.push(() => tcp.close());
    const byTcp: number[] = [];
    tcp.on("connection", (socket) =>
      socket.on("data", (data) => byTcp.push(Buffer.from(data).readInt32LE())),
    );
    await new Promise<void>((resolve) => tcp.listen(port, "127.0.0.1", resolve));
    const theirs = half("client", 2, port);
    const said = (await Promise.all((await came).map(numbers))).flat();
    expect(said.toSorted((a, b) => a - b)).toEqual(all.slice(0, SOCKETS));
    expect(await theirs).toEqual(well(""));
    expect(byTcp).toEqual(all.slice(SOCKETS, SOCKETS + TCP_SOCKETS));
    await empty(own);
  });

  test("clients, many, from ports of their own and from one, beside TCP", async () => {
    const port = await freePort();
    const theirs = half("server", 2, port);
    await bound(port);
    const shared = endpoint();
    const streams: UdtStream[] = [];
    for (let i = 0; i < SOCKETS; i++)
      streams.push(await client(i < SOCKETS / 2 ? endpoint() : shared, port));
    const sockets: Socket[] = [];
    for (let i = 0; i < TCP_SOCKETS; i++) sockets.push(await tcpTo(port));
    for (const [i, stream] of streams.entries()) await stream.write(bytesOf(i));
    for (const [i, socket] of sockets.entries()) socket.write(bytesOf(SOCKETS + i));
    expect((await Promise.all(streams.map(numbers))).flat()).toEqual([]); // it has closed them all
    expect(await theirs).toEqual(well("Test parallel UDT and TCP connections.\n"));
    await empty(shared);
  });

  test("servers that meet its clients halfway", async () => {
    const port = await freePorts(2 * MEETINGS);
    const meetings = Array.from({ length: MEETINGS }, (_, i) =>
      rendezvousUdt(`127.0.0.1:${port + MEETINGS + i}`, { from: `127.0.0.1:${port + i}` }),
    );
    const theirs = half("client", 3, port);
    const streams = await Promise.all(meetings);
    expect((await Promise.all(streams.map(numbers))).flat()).toEqual(all.slice(0, MEETINGS));
    expect(await theirs).toEqual(well(""));
  });

  test("clients that meet its servers halfway", async () => {
    const port = await freePorts(2 * MEETINGS);
    const meetings = Array.from({ length: MEETINGS }, (_, i) =>
      rendezvousUdt(`127.0.0.1:${port + i}`, { from: `127.0.0.1:${port + MEETINGS + i}` }),
    );
    const theirs = half("server", 3, port);
    const streams = await Promise.all(meetings);
    await Promise.all(streams.map(async (stream, i) => stream.write(bytesOf(i))));
    // It reads that, and is gone before it has said so.
    expect((await Promise.all(streams.map(numbers))).flat()).toEqual([]);
    expect(await theirs).toEqual(well("Test rendezvous connections.\n"));
  });

  test("server of a thousand that come and go in threads", async () => {
    const { came, own } = server(0, THREADS * PER_THREAD);
    const theirs = half("client", 4, own.address.port);
    expect((await Promise.all((await came).map(numbers))).flat()).toEqual([]);
    expect(await theirs).toEqual(well(""));
    await empty(own);
  });

  test("clients, a thousand, forty at a time", async () => {
    const port = await freePort();
    const theirs = half("server", 4, port);
    await bound(port);
    const thread = async (): Promise<void> => {
      const own = endpoint();
      const streams: UdtStream[] = [];
      for (let i = 0; i < PER_THREAD; i++) streams.push(await client(own, port));
      await Promise.all(streams.map(async (stream) => stream.end()));
      await empty(own);
    };
    await Promise.all(Array.from({ length: THREADS }, thread));
    expect(await theirs).toEqual(well("Test UDT in multiple threads.\n"));
  });
});
