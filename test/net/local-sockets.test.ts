import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Address } from "../../src/core/address.ts";
import { DEFAULT_SOCKET, type SocketOptions } from "../../src/core/socket-options.ts";
import { LocalSockets } from "../../src/net/local-sockets.ts";
import { bindDatagram, isDatagram } from "../../src/sys/datagram-socket.ts";
import { listenStream, readBack } from "../../src/sys/listen.ts";
import { close } from "../../src/sys/socket.ts";
import { asRoot } from "../sys/needs.ts";

const dir = mkdtempSync(join(tmpdir(), "tern-sockets-"));
afterAll(() => rmSync(dir, { recursive: true }));

const local: Address = { kind: "tcp", host: "127.0.0.1", port: 0 };
const path = (name: string): Address => ({ kind: "unix", path: join(dir, name) });
const options = (some: Partial<SocketOptions>): SocketOptions => ({ ...DEFAULT_SOCKET, ...some });
const isOpen = (fd: number): boolean => existsSync(`/proc/self/fd/${fd}`);

describe("a reload", () => {
  test("keeps the socket both configs name, and puts the new options in force", async () => {
    const sockets = new LocalSockets();
    const before = await sockets.take(local, options({ backlog: 100, fastOpen: 0 }));
    const after = await sockets.take(local, options({ backlog: 200, fastOpen: 64 }));
    expect(after.value.fd).toBe(before.value.fd);
    await before[Symbol.asyncDispose]();
    expect(readBack(after.value.fd)).toMatchObject({ fastOpen: 64, queue: { limit: 200 } });
    await after[Symbol.asyncDispose]();
    expect(isOpen(after.value.fd)).toBe(false);
    expect(sockets.held).toEqual([]);
  });

  test("that fails gives the old options back", async () => {
    const sockets = new LocalSockets();
    await using kept = await sockets.take(local, options({ backlog: 100 }));
    const failed = await sockets.take(local, options({ backlog: 200 }));
    await failed[Symbol.asyncDispose]();
    await failed[Symbol.asyncDispose](); // twice is once
    expect(readBack(kept.value.fd)).toMatchObject({ listening: true, queue: { limit: 100 } });
  });
});

describe("one socket per worker", () => {
  test("port 0 is chosen once and shared", async () => {
    const sockets = new LocalSockets();
    await using first = await sockets.take(local, options({}), 0);
    await using second = await sockets.take(local, options({}), 1);
    expect(second.value.fd).not.toBe(first.value.fd);
    expect(second.value.port).toBe(first.value.port);
    expect(sockets.held).toEqual([
      { address: local, slot: 0, fd: first.value.fd },
      { address: local, slot: 1, fd: second.value.fd },
    ]);
  });

  test.each([
    { story: "unix", address: path("shared.sock"), o: options({}) },
    { story: "without SO_REUSEPORT", address: local, o: options({ reusePort: false }) },
  ])("$story: all share one", async ({ address, o }) => {
    const sockets = new LocalSockets();
    await using first = await sockets.take(address, o, 0);
    await using second = await sockets.take(address, o, 1);
    expect(second.value.fd).toBe(first.value.fd);
  });

  test("a socket made without SO_REUSEPORT stays the only one when the option is turned on", async () => {
    const sockets = new LocalSockets();
    await using old = await sockets.take(local, options({ reusePort: false }), 0);
    await using now = await sockets.take(local, options({ reusePort: true }), 1);
    expect(now.value.fd).toBe(old.value.fd);
  });

  test("sockets made with it stay several when it is turned off: their backlogs are full of people", async () => {
    const sockets = new LocalSockets();
    await using zero = await sockets.take(local, options({}), 0);
    await using one = await sockets.take(local, options({}), 1);
    await using again = await sockets.take(local, options({ reusePort: false }), 1);
    expect(again.value.fd).toBe(one.value.fd);
    expect(zero.value.fd).not.toBe(one.value.fd);
  });
});

describe("datagrams", () => {
  const udp = { reusePort: true, buffer: 65_536 };

  test("UDP and TCP on one port are two sockets; a reload keeps both", async () => {
    const sockets = new LocalSockets();
    await using stream = await sockets.take(local, options({}));
    const address: Address = { kind: "tcp", host: "127.0.0.1", port: stream.value.port };
    const before = await sockets.takeDatagram(address, udp);
    const after = await sockets.takeDatagram(address, udp);
    expect([before.value.port, before.value.fd]).toEqual([stream.value.port, after.value.fd]);
    expect(before.value.fd).not.toBe(stream.value.fd);
    await before[Symbol.asyncDispose]();
    expect(isDatagram(after.value.fd)).toBe(true);
    await after[Symbol.asyncDispose]();
    expect(isOpen(after.value.fd)).toBe(false);
  });

  test("one per worker, handed to the next binary, closed when it wants none", async () => {
    const sockets = new LocalSockets();
    await using zero = await sockets.takeDatagram(local, udp, 0);
    await using one = await sockets.takeDatagram(local, udp, 1);
    expect(zero.value.fd).not.toBe(one.value.fd);
    expect(sockets.held).toEqual([
      { address: local, slot: 0, fd: zero.value.fd, datagram: true },
      { address: local, slot: 1, fd: one.value.fd, datagram: true },
    ]);
    const { fd, port } = bindDatagram(local, udp);
    const address: Address = { kind: "tcp", host: "127.0.0.1", port };
    const next = new LocalSockets([{ address, fd, slot: 0, datagram: true }]);
    await using stream = await next.take(address, options({})); // TCP does not get it
    expect(stream.value.fd).not.toBe(fd);
    await using taken = await next.takeDatagram(address, udp, 0);
    expect(taken.value.fd).toBe(fd);
  });
});

describe("inherited", () => {
  const made = (o: Partial<SocketOptions> = {}): { fd: number; address: Address } => {
    const { fd, port } = listenStream(local, options({ backlog: 50, ...o }));
    return { fd, address: { kind: "tcp", host: "127.0.0.1", port } };
  };

  test("an upgrade: each slot gets its own socket back, with the new options", async () => {
    const old = made();
    const twin = listenStream(old.address, options({})).fd;
    const sockets = new LocalSockets([
      { ...old, slot: 0 },
      { ...old, fd: twin, slot: 1 },
    ]);
    await using one = await sockets.take(old.address, options({ backlog: 70 }), 1);
    await using zero = await sockets.take(old.address, options({ backlog: 60 }), 0);
    expect([zero.value.fd, one.value.fd]).toEqual([old.fd, twin]);
    expect(readBack(zero.value.fd)).toMatchObject({ queue: { limit: 60 } });
    expect(readBackPort(old.fd)).toBe(zero.value.port);
    expect(sockets.closeUnclaimed()).toEqual([]);
  });

  test("fewer workers or addresses than before: what nobody took is closed, not left deaf", async () => {
    const old = made();
    const other = made();
    const sockets = new LocalSockets([{ ...old, slot: 0 }, other]);
    await using kept = await sockets.take(old.address, options({}), 0);
    expect(sockets.closeUnclaimed()).toEqual([other.address]);
    expect([isOpen(kept.value.fd), isOpen(other.fd)]).toEqual([true, false]);
  });

  test("more workers than before: the new one gets a new socket on the same port", async () => {
    const old = made();
    const sockets = new LocalSockets([{ ...old, slot: 0 }]);
    await using zero = await sockets.take(old.address, options({}), 0);
    await using one = await sockets.take(old.address, options({}), 1);
    expect(one.value.fd).not.toBe(zero.value.fd);
    expect(one.value.port).toBe(zero.value.port);
  });

  test("systemd's single socket serves every worker", async () => {
    const lent = made({ reusePort: false });
    const sockets = new LocalSockets([{ ...lent, lent: true }]);
    await using one = await sockets.take(lent.address, options({}), 1);
    await using zero = await sockets.take(lent.address, options({}), 0);
    expect([zero.value.fd, one.value.fd]).toEqual([lent.fd, lent.fd]);
  });
});

describe("a unix path", () => {
  test("goes with its socket", async () => {
    const sockets = new LocalSockets();
    const lease = await sockets.take(path("gone.sock"), options({}));
    expect(existsSync(join(dir, "gone.sock"))).toBe(true);
    await lease[Symbol.asyncDispose]();
    expect(existsSync(join(dir, "gone.sock"))).toBe(false);
  });

  test("stays when the socket was handed to a new binary", async () => {
    const sockets = new LocalSockets();
    const lease = await sockets.take(path("handed.sock"), options({}));
    const heirs = sockets.handOver();
    expect(heirs).toEqual([{ address: path("handed.sock"), slot: 0, fd: lease.value.fd }]);
    await lease[Symbol.asyncDispose]();
    expect(existsSync(join(dir, "handed.sock"))).toBe(true);
  });

  test("stays when systemd lent it", async () => {
    const { fd } = listenStream(path("lent.sock"), options({}));
    const sockets = new LocalSockets([{ address: path("lent.sock"), fd, lent: true }]);
    const lease = await sockets.take(path("lent.sock"), options({}));
    expect(lease.value.fd).toBe(fd);
    await lease[Symbol.asyncDispose]();
    expect(existsSync(join(dir, "lent.sock"))).toBe(true);
  });

  test("stays when another server has taken it since", async () => {
    const sockets = new LocalSockets();
    const lease = await sockets.take(path("moved.sock"), options({}));
    rmSync(join(dir, "moved.sock"));
    const other = listenStream(path("moved.sock"), options({})).fd;
    await lease[Symbol.asyncDispose]();
    expect(existsSync(join(dir, "moved.sock"))).toBe(true);
    close(other);
  });
});

test("a host name becomes its address", async () => {
  const sockets = new LocalSockets();
  await using lease = await sockets.take({ kind: "tcp", host: "localhost", port: 0 }, options({}));
  expect(readBackHost(lease.value.fd)).toMatch(/^(127\.0\.0\.1|::1)$/);
});

test("what cannot be bound leaves nothing behind", async () => {
  const sockets = new LocalSockets();
  const nowhere: Address = { kind: "tcp", host: "192.0.2.1", port: 0 };
  expect(sockets.take(nowhere, options({}))).rejects.toThrow("bind 192.0.2.1:0: EADDRNOTAVAIL");
  expect(sockets.held).toEqual([]);
});

asRoot("sockets given to a user: that user's later ones may share the port, not before", () => {
  const code = (give: boolean): string => `
    const { LocalSockets } = await import("${import.meta.dir}/../../src/net/local-sockets.ts");
    const options = ${JSON.stringify(DEFAULT_SOCKET)};
    const sockets = new LocalSockets();
    const first = await sockets.take(${JSON.stringify(local)}, options, 0);
    if (${give}) sockets.giveTo(65534, 65534);
    process.setgid(65534); process.setuid(65534);
    await sockets.take(${JSON.stringify(local)}, options, 1).then(() => console.log("shared"), (e) => console.log(e.code));
    process.exit(0);`;
  const run = (give: boolean): string =>
    Bun.spawnSync([process.execPath, "-e", code(give)])
      .stdout.toString()
      .trim();
  expect([run(true), run(false)]).toEqual(["shared", "EADDRINUSE"]);
});

function readBackPort(fd: number): number | undefined {
  const at = readBack(fd).address;
  return at?.kind === "inet" ? at.port : undefined;
}
function readBackHost(fd: number): string | undefined {
  const at = readBack(fd).address;
  return at?.kind === "inet" || at?.kind === "inet6" ? at.host : undefined;
}

test("a port that another program would share is refused, not halved", async () => {
  const stranger = listenStream(local, options({ reusePort: true }));
  const sockets = new LocalSockets();
  const taken: Address = { kind: "tcp", host: "127.0.0.1", port: stranger.port };
  await expect(sockets.take(taken, DEFAULT_SOCKET)).rejects.toThrow("EADDRINUSE");
  close(stranger.fd);
  await using mine = await sockets.take(taken, DEFAULT_SOCKET);
  await using second = await sockets.take(taken, DEFAULT_SOCKET, 1);
  expect(second.value.fd).not.toBe(mine.value.fd);
});
