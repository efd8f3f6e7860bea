import { afterEach, expect, test } from "bun:test";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";

import { QuicRelay, type QuicRelayParts } from "../../../src/net/quic/quic-relay.ts";
import { reactor } from "../../../src/net/reactor-loop.ts";
import { bindDatagram } from "../../../src/sys/datagram-socket.ts";
import { duplicate } from "../../../src/sys/duplicate.ts";
import { close } from "../../../src/sys/socket.ts";
import { until } from "../../e2e/from-source.ts";

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).toReversed()) end();
});

interface Heard {
  readonly bytes: Buffer;
  readonly from: RemoteInfo;
}

async function socket(
  host = "127.0.0.1",
): Promise<{ socket: Socket; port: number; heard: Heard[] }> {
  const it = createSocket("udp4");
  const heard: Heard[] = [];
  it.on("message", (bytes, from) => heard.push({ bytes, from }));
  await new Promise<void>((resolve) => it.bind(0, host, resolve));
  ends.push(() => it.close());
  return { socket: it, port: it.address().port, heard };
}

/** A port that clients write to, with a relay to `inner`. */
function listener(host = "127.0.0.1"): { fd: number; port: number } {
  const at = { kind: "tcp", host, port: 0 } as const;
  const it = bindDatagram(at, { reusePort: true, buffer: 1 << 20, dontFragment: true });
  ends.push(() => close(it.fd));
  return it;
}

type Clockwork = QuicRelayParts["reactor"];

function relay(fd: number, port: number, most = 10, by: Clockwork = reactor()): QuicRelay {
  const it = new QuicRelay({ fds: [fd], listener: `test:${port}`, reactor: by, most });
  ends.push(() => it.close());
  return it;
}

/** A relay that has just left its port, and a client that began with it: `server` is what it leads to. */
async function left() {
  const [server, next, client] = [await socket(), await socket(), await socket()];
  const { fd, port } = listener();
  const leaving = relay(fd, port);
  leaving.serve(server.port);
  client.socket.send(first(1), port, "127.0.0.1");
  await until(() => server.heard.length === 1);
  leaving.leave();
  return { server, next, client, leaving, fd, port };
}

/** What a client begins with, and what follows. */
const first = (mark: number): Buffer => Buffer.alloc(1200, mark).fill(0xc0, 0, 1);
const later = (mark: number): Buffer => Buffer.alloc(40, mark).fill(0x40, 0, 1);

test("both ways, and the inner server's peers have their names", async () => {
  const [server, client, other] = [await socket(), await socket(), await socket("127.0.0.2")];
  const { fd, port } = listener("0.0.0.0");
  const it = relay(fd, port);
  it.serve(server.port);
  client.socket.send(first(1), port, "127.0.0.1");
  other.socket.send(first(2), port, "127.0.0.3");
  await until(() => server.heard.length === 2);
  const of = (mark: number): Heard => server.heard.find(({ bytes }) => bytes[9] === mark)!; // it is there
  expect(it.asks(of(1).from.port)).toEqual({ address: "127.0.0.1", port: client.port });
  expect(it.asks(of(2).from.port)).toEqual({ address: "127.0.0.2", port: other.port });
  expect(it.asks(client.port)).toBeUndefined();

  client.socket.send(later(1), port, "127.0.0.1");
  await until(() => server.heard.length === 3);
  expect(server.heard[2]?.from.port).toBe(of(1).from.port);
  server.socket.send("to one", of(1).from.port, "127.0.0.1");
  server.socket.send("to other", of(2).from.port, "127.0.0.1");
  await until(() => client.heard.length + other.heard.length === 2);
  expect(client.heard[0]).toMatchObject({ from: { address: "127.0.0.1", port } });
  // From the address it wrote to.
  expect(other.heard[0]).toMatchObject({ from: { address: "127.0.0.3", port } });
  expect([client, other].map(({ heard }) => heard[0]?.bytes.toString())).toEqual([
    "to one",
    "to other",
  ]);
});

test("a burst arrives whole, in order, each datagram as long as it was", async () => {
  const [server, client] = [await socket(), await socket()];
  const { fd, port } = listener();
  relay(fd, port).serve(server.port);
  client.socket.send(first(0), port, "127.0.0.1");
  await until(() => server.heard.length === 1);
  const lengths = [
    1252,
    1252,
    1252,
    60,
    1252,
    1400,
    1252,
    7,
    7,
    1252,
    ...Array<number>(60).fill(1200),
    3,
  ];
  for (const [i, length] of lengths.entries())
    server.socket.send(Buffer.alloc(length, i), server.heard[0]?.from.port ?? 0, "127.0.0.1");
  await until(() => client.heard.length === lengths.length);
  expect(client.heard.map(({ bytes }) => [bytes.length, bytes[0]!])).toEqual(
    lengths.map((length, i) => [length, i]),
  );
});

test("no more clients than so many", async () => {
  const server = await socket();
  const { fd, port } = listener();
  const it = relay(fd, port, 2);
  it.serve(server.port);
  for (let i = 1; i < 4; i++) {
    const client = await socket();
    client.socket.send(first(i), port, "127.0.0.1");
    await Bun.sleep(20);
  }
  await until(() => server.heard.length === 2);
  await Bun.sleep(60);
  expect([server.heard.map(({ bytes }) => bytes[9]), it.clients]).toEqual([[1, 2], 2]);
});

test("data of nobody we know may be of a client that moved, and only of so many", async () => {
  const [server, moved] = [await socket(), await socket()];
  const { fd, port } = listener();
  const it = relay(fd, port, 1000);
  it.serve(server.port);
  for (let i = 1; i <= 3; i++) moved.socket.send(later(i), port, "127.0.0.1");
  await until(() => server.heard.length === 3);
  for (let i = 0; i < 300; i++) {
    const noise = await socket();
    noise.socket.send(later(9), port, "127.0.0.1");
  }
  await until(() => it.clients >= 257);
  await Bun.sleep(60);
  expect(it.clients).toBe(257);
  // Who has shown more, and who begins properly, is none of them.
  const fresh = await socket();
  fresh.socket.send(first(2), port, "127.0.0.1");
  await until(() => it.clients === 258);
});

test("who takes over the port passes on what belongs to the one that leaves", async () => {
  const { server, next, client, leaving, fd, port } = await left();
  const fresh = await socket();
  const coming = relay(fd, port);
  coming.serve(next.port);
  client.socket.send(later(1), port, "127.0.0.1");
  fresh.socket.send(first(2), port, "127.0.0.1");
  await until(() => server.heard.length === 2 && next.heard.length === 1);
  expect([server.heard[1]?.bytes, next.heard[0]?.bytes[9]]).toEqual([later(1), 2]);
  expect(coming.clients).toBe(1);
  // And back, from the one that leaves.
  server.socket.send("still here", server.heard[1]?.from.port ?? 0, "127.0.0.1");
  await until(() => client.heard.length === 1);
  expect(client.heard[0]?.bytes.toString()).toBe("still here");

  // Once that one is gone, its clients are told by the new server that it knows nothing of them.
  leaving.close();
  await Bun.sleep(300);
  client.socket.send(later(3), port, "127.0.0.1");
  await until(() => next.heard.length === 2);
  expect([server.heard.length, next.heard[1]?.bytes]).toEqual([2, later(3)]);
});

test("a handshake that the other began ends there, though its second flight looks like a first", async () => {
  const { server, next, client, fd, port } = await left();
  relay(fd, port).serve(next.port);
  client.socket.send(first(2), port, "127.0.0.1");
  await until(() => next.heard.length === 1);
  client.socket.send(later(3), port, "127.0.0.1");
  await until(() => server.heard.length === 3);
  expect(server.heard.slice(1).map(({ bytes }) => bytes)).toEqual([first(2), later(3)]);

  // Whom the new server answers is nobody else's.
  await until(() => next.heard.length === 2);
  next.socket.send("welcome", next.heard[0]?.from.port ?? 0, "127.0.0.1");
  await until(() => client.heard.length === 1);
  client.socket.send(later(4), port, "127.0.0.1");
  await until(() => next.heard.length === 3);
  await Bun.sleep(50);
  expect(server.heard).toHaveLength(3);
});

test("what is passed on comes whole and in order, however much of it comes at once", async () => {
  const { server, next, client, fd, port } = await left();
  for (let i = 0; i < 60; i++) client.socket.send(later(i), port, "127.0.0.1");
  relay(fd, port).serve(next.port); // it finds all of them waiting
  await until(() => server.heard.length === 61);
  expect(server.heard.slice(1).map(({ bytes }) => bytes[9])).toEqual(
    Array.from({ length: 60 }, (_, i) => i),
  );
});

test("who has just come and not asked yet may be shaking hands", async () => {
  const [server, client, mute] = [await socket(), await socket(), await socket()];
  const { fd, port } = listener();
  const real = reactor();
  const still = {
    now: 1000,
    add: real.add.bind(real),
    remove: real.remove.bind(real),
    forget: real.forget.bind(real),
  };
  const it = relay(fd, port, 10, still);
  it.serve(server.port);
  expect(it.shaking).toBe(false);
  client.socket.send(first(1), port, "127.0.0.1");
  await until(() => server.heard.length === 1);
  expect(it.shaking).toBe(true);
  expect(it.asks(server.heard[0]?.from.port ?? 0)?.port).toBe(client.port);
  expect(it.shaking).toBe(false);
  mute.socket.send(first(2), port, "127.0.0.1");
  await until(() => server.heard.length === 2);
  it.leave();
  expect(it.shaking).toBe(true);
  still.now += 4000;
  expect(it.shaking).toBe(false);
});

test("who reads before the other leaves does not keep that one's clients", async () => {
  const [server, next, client] = [await socket(), await socket(), await socket()];
  const { fd, port } = listener();
  const leaving = relay(fd, port);
  leaving.serve(server.port);
  client.socket.send(first(1), port, "127.0.0.1");
  await until(() => server.heard.length === 1);
  const same = duplicate(fd);
  ends.push(() => close(same));
  reactor().remove(fd); // as if the other were always the quicker one
  relay(same, port).serve(next.port);
  client.socket.send(later(1), port, "127.0.0.1");
  await until(() => next.heard.length === 1);
  leaving.leave();
  await Bun.sleep(300);
  client.socket.send(later(2), port, "127.0.0.1");
  await until(() => server.heard.length === 2);
  expect(server.heard[1]?.bytes).toEqual(later(2));
});

test("a client whose server is gone can begin again", async () => {
  const [server, client] = [createSocket("udp4"), await socket()];
  await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
  const { fd, port } = listener();
  const it = relay(fd, port);
  it.serve(server.address().port);
  client.socket.send(first(1), port, "127.0.0.1");
  await until(() => it.clients === 1);
  server.close();
  client.socket.send(later(1), port, "127.0.0.1");
  await until(() => it.clients === 0);
  const next = await socket();
  it.serve(next.port);
  client.socket.send(first(2), port, "127.0.0.1");
  await until(() => next.heard.length === 1);
});
