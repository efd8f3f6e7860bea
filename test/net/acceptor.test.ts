import { afterEach, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";

import { DEFAULT_SOCKET } from "../../src/core/socket-options.ts";
import { Acceptor } from "../../src/net/acceptor.ts";
import { LocalSockets } from "../../src/net/local-sockets.ts";
import { reactor } from "../../src/net/reactor-loop.ts";
import { close } from "../../src/sys/socket.ts";
import { until } from "../e2e/from-source.ts";

const OPTIONS = { ...DEFAULT_SOCKET, deferAccept: 0 };
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A listener of one worker that has the sockets of `sockets` workers, and its acceptor. */
async function made(sockets: number, room = () => true) {
  const local = new LocalSockets();
  const address = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const before = [];
  for (let i = 0; i < sockets; i++)
    before.push(await local.take(address, OPTIONS, "", { slot: i, count: sockets }));
  const lease = await local.take(address, OPTIONS);
  for (const one of before) await one[Symbol.asyncDispose]();
  const taken: number[] = [];
  const acceptor = new Acceptor(lease.value, reactor(), {
    room,
    take: (fd) => void taken.push(fd),
    exhausted() {},
  });
  ends.push(async () => {
    acceptor.close();
    for (const fd of taken) close(fd);
    await lease[Symbol.asyncDispose]();
  });
  return { acceptor, taken, port: lease.value.port };
}

/** `count` clients that the kernel has let in. */
async function clients(port: number, count: number): Promise<void> {
  const all = Array.from({ length: count }, () => connect(port, "127.0.0.1"));
  ends.push(() => all.forEach((socket) => socket.destroy()));
  await Promise.all(
    all.map((s: Socket) => new Promise<void>((resolve) => s.on("connect", resolve))),
  );
}

test.each([{ sockets: 1 }, { sockets: 3 }])(
  "at the end everyone who waits is let in, and nobody after ($sockets sockets)",
  async ({ sockets }) => {
    const { acceptor, taken, port } = await made(sockets);
    await clients(port, 150);
    acceptor.open();
    acceptor.last(4096);
    expect(taken).toHaveLength(150);
    await clients(port, 1);
    await Bun.sleep(60);
    expect(taken).toHaveLength(150);
  },
);

test("at the end no more than said are let in", async () => {
  const { acceptor, taken, port } = await made(1);
  await clients(port, 100);
  acceptor.open();
  acceptor.last(70);
  expect(taken).toHaveLength(70);
});

test("without room they wait; opened again, they come", async () => {
  let most = 3;
  const { acceptor, taken, port } = await made(3, () => taken.length < most);
  acceptor.open();
  await clients(port, 10);
  await until(() => taken.length === 3);
  await Bun.sleep(60);
  expect(taken).toHaveLength(3);
  most = 10;
  acceptor.open();
  await until(() => taken.length === 10);
});
