import { expect, test } from "bun:test";

import { Channel } from "../../src/app/channel.ts";
import type { Orders, Requests } from "../../src/app/messages.ts";
import { RemoteSockets, ticketBytes } from "../../src/app/remote-sockets.ts";
import { WorkerHealth } from "../../src/app/worker-health.ts";
import { WorkerSockets } from "../../src/app/worker-sockets.ts";
import type { Address } from "../../src/core/address.ts";
import { DEFAULT_SOCKET } from "../../src/core/socket-options.ts";
import { noHealth } from "../../src/net/health/health.ts";
import { LocalSockets } from "../../src/net/local-sockets.ts";
import type { ListenSocket } from "../../src/net/sockets.ts";
import { isDatagram } from "../../src/sys/datagram-socket.ts";
import { sendFds, socketPair } from "../../src/sys/fd-passing.ts";
import { portOf, readBack } from "../../src/sys/listen.ts";
import { close } from "../../src/sys/socket.ts";
import { freePort } from "../fake/ports.ts";

const fdOf = ({ fds }: ListenSocket): number => fds[0]!; // there is always one
const anywhere: Address = { kind: "tcp", host: "127.0.0.1", port: 0 };

const ASK = { address: anywhere, options: DEFAULT_SOCKET, owner: "" };

/** A supervisor and `count` workers in this one process, with real sockets between them. */
function made(count: number) {
  const sockets = new LocalSockets();
  const workers = Array.from({ length: count }, (_, index) => {
    const [ours, theirs] = socketPair();
    const held = new WorkerSockets(sockets, { slot: index, count });
    const supervisor: Channel<Record<never, never>, Requests> = new Channel<
      Record<never, never>,
      Requests
    >((m) => worker.receive(m), {
      listen: async (ask) => {
        const { ticket, fds, port } = await held.take(ask);
        for (const fd of fds) sendFds(ours, ticketBytes(ticket), [fd]);
        return { ticket, count: fds.length, port };
      },
      datagrams: async (ask) => {
        const { ticket, fds, port } = await held.takeDatagram(ask);
        for (const fd of fds) sendFds(ours, ticketBytes(ticket), [fd]);
        return { ticket, count: fds.length, port };
      },
      unlisten: async ({ ticket }) => {
        await held.giveBack(ticket);
        return null;
      },
      watch: (ask) => new WorkerHealth(noHealth, () => {}).watch(ask),
      hurry: () => null,
      stuck: () => null,
      unwatch: () => null,
      told: () => null,
      logged: () => null,
    });
    const worker: Channel<Requests, Orders> = new Channel<Requests, Orders>(
      (m) => supervisor.receive(m),
      {} as never, // it is asked nothing here
    );
    const end = (): void => [ours, theirs].forEach(close);
    return { remote: new RemoteSockets(worker, theirs), held, end };
  });
  return { sockets, workers };
}

test("each worker gets a socket of its own, on the same port", async () => {
  const { sockets, workers } = made(3);
  const leases = [];
  for (const { remote } of workers) leases.push(await remote.take(anywhere, DEFAULT_SOCKET));
  const ports = leases.map(({ value }) => value.port);
  expect(new Set(ports).size).toBe(1);
  expect(leases.every(({ value }) => portOf(fdOf(value)) === ports[0])).toBe(true);
  expect(leases.every(({ value }) => readBack(fdOf(value)).listening)).toBe(true);
  expect(sockets.held.map((h) => h.slot)).toEqual([0, 1, 2]);

  for (const lease of leases) await lease[Symbol.asyncDispose]();
  await Bun.sleep(1);
  expect(sockets.held).toEqual([]);
  for (const { end } of workers) end();
});

test("port 0 is one of everybody's own", async () => {
  const { workers } = made(2);
  for (const { remote } of workers) {
    await using one = await remote.take(anywhere, DEFAULT_SOCKET, "one");
    await using two = await remote.take(anywhere, DEFAULT_SOCKET, "two");
    expect(one.value.port).not.toBe(two.value.port);
  }
  for (const { end } of workers) end();
});

test("UDP sockets too, on the port that TCP has", async () => {
  const { workers } = made(2);
  const address: Address = { kind: "tcp", host: "127.0.0.1", port: await freePort() };
  for (const { remote } of workers) {
    await using stream = await remote.take(address, DEFAULT_SOCKET);
    await using one = await remote.takeDatagram(address, { reusePort: true, buffer: 65_536 });
    await using same = await remote.takeDatagram(address, { reusePort: true, buffer: 65_536 });
    expect([one.value.port, isDatagram(fdOf(one.value))]).toEqual([stream.value.port, true]);
    expect(fdOf(same.value)).toBe(fdOf(one.value));
  }
  for (const { end } of workers) end();
});

test("asked for many at once, every socket finds its address", async () => {
  const { workers } = made(1);
  const [worker] = workers;
  if (!worker) throw new Error("no worker");
  const hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"];
  const leases = await Promise.all(
    hosts.map((host) => worker.remote.take({ ...anywhere, host }, DEFAULT_SOCKET)),
  );
  const bound = leases.map(({ value }) => readBack(fdOf(value)).address);
  expect(bound.map((a) => (a?.kind === "inet" ? a.host : ""))).toEqual(hosts);
  for (const lease of leases) await lease[Symbol.asyncDispose]();
  worker.end();
});

test("of two workers one stays: it gets the socket of the other, too", async () => {
  const { sockets, workers } = made(2);
  const leases = [];
  for (const { remote } of workers) leases.push(await remote.take(anywhere, DEFAULT_SOCKET));
  const [ours, theirs] = socketPair();
  const alone = new WorkerSockets(sockets, { slot: 0, count: 1 });
  const { ticket, fds } = await alone.take(ASK);
  for (const fd of fds) sendFds(ours, ticketBytes(ticket), [fd]);
  const channel = { call: async () => ({ ticket, count: fds.length, port: 1 }) };
  const { value } = await new RemoteSockets(channel as never, theirs).take(
    anywhere,
    DEFAULT_SOCKET,
  );
  expect(value.fds.map(portOf)).toEqual(leases.map((lease) => lease.value.port));
  for (const lease of leases) await lease[Symbol.asyncDispose]();
  await Bun.sleep(1);
  expect(sockets.held).toHaveLength(2);
  await alone.release();
  expect(sockets.held).toEqual([]);
  for (const fd of [ours, theirs, ...value.fds]) close(fd);
  for (const { end } of workers) end();
});

test("a dead worker's sockets stay until they are let go", async () => {
  const { sockets, workers } = made(1);
  const [worker] = workers;
  if (!worker) throw new Error("no worker");
  const { value } = await worker.remote.take(anywhere, DEFAULT_SOCKET);
  worker.end(); // it gives nothing back
  close(fdOf(value));
  expect(sockets.held).toHaveLength(1);
  const next = new WorkerSockets(sockets, { slot: 0, count: 1 });
  expect((await next.take(ASK)).port).toBe(value.port);
  await worker.held.release();
  expect(sockets.held).toHaveLength(1);
  await next.release();
  expect(sockets.held).toEqual([]);
});

test("what a worker asked for while it died is let go too", async () => {
  const { sockets, workers } = made(1);
  const [worker] = workers;
  const asked = worker?.held.take(ASK);
  await worker?.held.release();
  await asked;
  expect(sockets.held).toEqual([]);
  worker?.end();
});
