import { expect, test } from "bun:test";
import { connect } from "node:net";

import type { Address } from "../../src/core/address.ts";
import { DEFAULT_SOCKET } from "../../src/core/socket-options.ts";
import { Acceptor } from "../../src/net/acceptor.ts";
import { LocalSockets } from "../../src/net/local-sockets.ts";
import { OwnSockets } from "../../src/net/own-sockets.ts";
import { reactor } from "../../src/net/reactor-loop.ts";
import { isDatagram } from "../../src/sys/datagram-socket.ts";
import { close } from "../../src/sys/socket.ts";

const anywhere: Address = { kind: "tcp", host: "127.0.0.1", port: 0 };
const OPTIONS = { ...DEFAULT_SOCKET, deferAccept: 0 };

/** Who lets in clients of an address, until stopped. */
async function service(sockets: OwnSockets, address: Address) {
  const lease = await sockets.take(address, OPTIONS);
  const seen = { count: 0 };
  const acceptor = new Acceptor(lease.value, reactor(), {
    room: () => true,
    take: (fd) => {
      seen.count++;
      close(fd);
    },
    exhausted() {},
  });
  acceptor.open();
  return {
    lease,
    seen,
    stop: async () => {
      acceptor.close();
      await lease[Symbol.asyncDispose]();
    },
  };
}

const visit = (port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1").on("error", reject);
    socket.on("close", () => resolve()).resume();
  });

test("an address goes from one service to another: no client is refused, none is lost", async () => {
  const local = new LocalSockets();
  const sockets = new OwnSockets(local);
  const old = await service(sockets, anywhere);
  const { port } = old.lease.value;
  await visit(port);
  const next = await service(sockets, anywhere); // the same socket, read by both
  const [mine, theirs] = [old.lease.value.fds, next.lease.value.fds];
  expect(mine.some((fd) => theirs.includes(fd))).toBe(false);
  const during = Promise.all(Array.from({ length: 20 }, () => visit(port)));
  await old.stop();
  await during;
  const before = old.seen.count;
  await visit(port);
  expect(old.seen.count).toBe(before);
  expect(old.seen.count + next.seen.count).toBe(22);
  await next.stop();
  expect(local.held).toEqual([]);
});

test("UDP too; what is given back twice is given back once", async () => {
  const local = new LocalSockets();
  const lease = await new OwnSockets(local).takeDatagram(anywhere, {
    reusePort: true,
    buffer: 65_536,
  });
  expect(lease.value.fds.map(isDatagram)).toEqual([true]);
  await lease.value.close();
  await lease[Symbol.asyncDispose]();
  expect(local.held).toEqual([]);
});
