import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Address } from "../../src/core/address.ts";
import type { Lease } from "../../src/core/lease.ts";
import { DEFAULT_SOCKET, type SocketOptions } from "../../src/core/socket-options.ts";
import { LocalSockets } from "../../src/net/local-sockets.ts";
import type { ListenSocket } from "../../src/net/sockets.ts";
import { bindDatagram, isDatagram } from "../../src/sys/datagram-socket.ts";
import { duplicate } from "../../src/sys/duplicate.ts";
import { listenStream, readBack } from "../../src/sys/listen.ts";
import { close } from "../../src/sys/socket.ts";
import { freePort } from "../fake/ports.ts";
import { asRoot } from "../sys/needs.ts";

const dir = mkdtempSync(join(tmpdir(), "tern-sockets-"));
afterAll(() => rmSync(dir, { recursive: true }));

const local = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
const path = (name: string): Address => ({ kind: "unix", path: join(dir, name) });
const options = (some: Partial<SocketOptions>): SocketOptions => ({ ...DEFAULT_SOCKET, ...some });
const fdOf = ({ value }: Lease<ListenSocket>): number => value.fds[0]!; // there is always one
const of = (slot: number) => ({ slot, count: 2 });
const isOpen = (fd: number): boolean => existsSync(`/proc/self/fd/${fd}`);

describe("a reload", () => {
  test("keeps the socket both configs name, and puts the new options in force", async () => {
    const sockets = new LocalSockets();
    const before = await sockets.take(local, options({ backlog: 100, fastOpen: 0 }));
    const after = await sockets.take(local, options({ backlog: 200, fastOpen: 64 }));
    expect(fdOf(after)).toBe(fdOf(before));
    await before[Symbol.asyncDispose]();
    expect(readBack(fdOf(after))).toMatchObject({ fastOpen: 64, queue: { limit: 200 } });
    await after[Symbol.asyncDispose]();
    expect(isOpen(fdOf(after))).toBe(false);
    expect(sockets.held).toEqual([]);
  });

  test("that fails gives the old options back", async () => {
    const sockets = new LocalSockets();
    await using kept = await sockets.take(local, options({ backlog: 100 }));
    const failed = await sockets.take(local, options({ backlog: 200 }));
    await failed[Symbol.asyncDispose]();
    await failed[Symbol.asyncDispose](); // twice is once
    expect(readBack(fdOf(kept))).toMatchObject({ listening: true, queue: { limit: 100 } });
  });
});

describe("one socket per worker", () => {
  test("port 0 is chosen once and shared", async () => {
    const sockets = new LocalSockets();
    await using first = await sockets.take(local, options({}), "", of(0));
    await using second = await sockets.take(local, options({}), "", of(1));
    expect(fdOf(second)).not.toBe(fdOf(first));
    expect(second.value.port).toBe(first.value.port);
    expect(sockets.held).toEqual([
      { address: local, slot: 0, fd: fdOf(first) },
      { address: local, slot: 1, fd: fdOf(second) },
    ]);
  });

  test("port 0 is one of everybody's own, each with its own name in the next binary", async () => {
    const sockets = new LocalSockets();
    await using web = await sockets.take(local, options({}));
    await using mail = await sockets.take(local, options({}), "mail");
    await using more = await sockets.take(local, options({}), "mail", of(1));
    expect(mail.value.port).not.toBe(web.value.port);
    expect(more.value.port).toBe(mail.value.port);
    expect(sockets.held.map(({ owner }) => owner)).toEqual([undefined, "mail", "mail"]);
    const { fd, address } = sockets.held[1]!; // the first of mail's
    const next = new LocalSockets([{ address, fd: duplicate(fd), owner: "mail" }]);
    await using other = await next.take(local, options({}));
    await using same = await next.take(local, options({}), "mail");
    expect([other.value.port === web.value.port, same.value.port]).toEqual([
      false,
      mail.value.port,
    ]);
  });

  test("a port that has a number is one for all who ask for it", async () => {
    const sockets = new LocalSockets();
    await using first = await sockets.take(local, options({}));
    const address: Address = { kind: "tcp", host: "127.0.0.1", port: first.value.port };
    await using one = await sockets.take({ ...address, host: "127.0.0.2" }, options({}), "a");
    await using two = await sockets.take({ ...address, host: "127.0.0.2" }, options({}), "b");
    expect(fdOf(one)).toBe(fdOf(two));
  });

  test.each([
    { story: "unix", address: path("shared.sock"), o: options({}) },
    { story: "without SO_REUSEPORT", address: local, o: options({ reusePort: false }) },
  ])("$story: all share one", async ({ address, o }) => {
    const sockets = new LocalSockets();
    await using first = await sockets.take(address, o, "", of(0));
    await using second = await sockets.take(address, o, "", of(1));
    expect(fdOf(second)).toBe(fdOf(first));
  });

  test("a socket made without SO_REUSEPORT stays the only one when the option is turned on", async () => {
    const sockets = new LocalSockets();
    await using old = await sockets.take(local, options({ reusePort: false }), "", of(0));
    await using now = await sockets.take(local, options({ reusePort: true }), "", of(1));
    expect(fdOf(now)).toBe(fdOf(old));
  });

  test("sockets made with it stay several when it is turned off: their backlogs are full of people", async () => {
    const sockets = new LocalSockets();
    await using zero = await sockets.take(local, options({}), "", of(0));
    await using one = await sockets.take(local, options({}), "", of(1));
    await using again = await sockets.take(local, options({ reusePort: false }), "", of(1));
    expect(fdOf(again)).toBe(fdOf(one));
    expect(fdOf(zero)).not.toBe(fdOf(one));
  });
});

describe("datagrams", () => {
  const udp = { reusePort: true, buffer: 65_536 };

  test("UDP and TCP on one port are two sockets; a reload keeps both", async () => {
    const sockets = new LocalSockets();
    const address: Address = { ...local, port: await freePort() };
    await using stream = await sockets.take(address, options({}));
    const before = await sockets.takeDatagram(address, udp);
    const after = await sockets.takeDatagram(address, udp);
    expect([before.value.port, fdOf(before)]).toEqual([address.port, fdOf(after)]);
    expect(fdOf(before)).not.toBe(fdOf(stream));
    await before[Symbol.asyncDispose]();
    expect(isDatagram(fdOf(after))).toBe(true);
    await after[Symbol.asyncDispose]();
    expect(isOpen(fdOf(after))).toBe(false);
  });

  test("one per worker, handed to the next binary, closed when it wants none", async () => {
    const sockets = new LocalSockets();
    await using zero = await sockets.takeDatagram(local, udp, "", of(0));
    await using one = await sockets.takeDatagram(local, udp, "", of(1));
    expect(fdOf(zero)).not.toBe(fdOf(one));
    expect(sockets.held).toEqual([
      { address: local, slot: 0, fd: fdOf(zero), datagram: true },
      { address: local, slot: 1, fd: fdOf(one), datagram: true },
    ]);
    const address: Address = { ...local, port: await freePort() };
    const { fd } = bindDatagram(address, udp);
    const next = new LocalSockets([{ address, fd, slot: 0, datagram: true }]);
    await using stream = await next.take(address, options({})); // TCP does not get it
    expect(fdOf(stream)).not.toBe(fd);
    await using taken = await next.takeDatagram(address, udp, "", of(0));
    expect(fdOf(taken)).toBe(fd);
  });
});

describe("fewer workers than before", () => {
  const take = (sockets: LocalSockets, count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, i) =>
        sockets.take(local, options({}), "", { slot: i, count }),
      ),
    );
  const giveBack = (leases: readonly Lease<ListenSocket>[]) =>
    Promise.all(leases.map((lease) => lease[Symbol.asyncDispose]()));

  test("the sockets of those gone stay open, in the hands of those that stay", async () => {
    const sockets = new LocalSockets();
    const four = await take(sockets, 4);
    const fds = four.map(fdOf);
    const one = await take(sockets, 1);
    await giveBack(four);
    expect(one[0]?.value.fds).toEqual(fds);
    expect(fds.every(isOpen)).toBe(true);
    // And more again: they get their own back, and share what is left.
    const three = await take(sockets, 3);
    await giveBack(one);
    expect(three.map(({ value }) => value.fds)).toEqual([
      [fds[0]!, fds[3]!],
      [fds[1]!, fds[3]!],
      [fds[2]!, fds[3]!],
    ]);
    await giveBack(three);
    expect(fds.some(isOpen)).toBe(false);
  });

  test("the options are in force on all of them", async () => {
    const sockets = new LocalSockets();
    const three = await take(sockets, 3);
    await using one = await sockets.take(local, options({ backlog: 70 }));
    await giveBack(three);
    expect(one.value.fds.map((fd) => readBack(fd).queue?.limit)).toEqual([70, 70, 70]);
  });

  test("at an upgrade, and for UDP, too", async () => {
    const first = bindDatagram(local, { reusePort: true, buffer: 65_536 });
    const address: Address = { ...local, port: first.port };
    const second = bindDatagram(address, { reusePort: true, buffer: 65_536 });
    const sockets = new LocalSockets([
      { address, fd: first.fd, slot: 0, datagram: true },
      { address, fd: second.fd, slot: 1, datagram: true },
    ]);
    await using one = await sockets.takeDatagram(address, { reusePort: true, buffer: 65_536 });
    expect(one.value.fds).toEqual([first.fd, second.fd]);
    expect(sockets.closeUnclaimed()).toEqual([]);
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
    await using one = await sockets.take(old.address, options({ backlog: 70 }), "", of(1));
    await using zero = await sockets.take(old.address, options({ backlog: 60 }), "", of(0));
    expect([fdOf(zero), fdOf(one)]).toEqual([old.fd, twin]);
    expect(readBack(fdOf(zero))).toMatchObject({ queue: { limit: 60 } });
    expect(readBackPort(old.fd)).toBe(zero.value.port);
    expect(sockets.closeUnclaimed()).toEqual([]);
  });

  test("fewer workers or addresses than before: what nobody took is closed, not left deaf", async () => {
    const old = made();
    const other = made();
    const sockets = new LocalSockets([{ ...old, slot: 0 }, other]);
    await using kept = await sockets.take(old.address, options({}), "", of(0));
    expect(sockets.closeUnclaimed()).toEqual([other.address]);
    expect([isOpen(fdOf(kept)), isOpen(other.fd)]).toEqual([true, false]);
  });

  test("more workers than before: the new one gets a new socket on the same port", async () => {
    const old = made();
    const sockets = new LocalSockets([{ ...old, slot: 0 }]);
    await using zero = await sockets.take(old.address, options({}), "", of(0));
    await using one = await sockets.take(old.address, options({}), "", of(1));
    expect(fdOf(one)).not.toBe(fdOf(zero));
    expect(one.value.port).toBe(zero.value.port);
  });

  test("systemd's single socket serves every worker", async () => {
    const lent = made({ reusePort: false });
    const sockets = new LocalSockets([{ ...lent, lent: true }]);
    await using one = await sockets.take(lent.address, options({}), "", of(1));
    await using zero = await sockets.take(lent.address, options({}), "", of(0));
    expect([fdOf(zero), fdOf(one)]).toEqual([lent.fd, lent.fd]);
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
    expect(heirs).toEqual([{ address: path("handed.sock"), slot: 0, fd: fdOf(lease) }]);
    await lease[Symbol.asyncDispose]();
    expect(existsSync(join(dir, "handed.sock"))).toBe(true);
  });

  test("stays when systemd lent it", async () => {
    const { fd } = listenStream(path("lent.sock"), options({}));
    const sockets = new LocalSockets([{ address: path("lent.sock"), fd, lent: true }]);
    const lease = await sockets.take(path("lent.sock"), options({}));
    expect(fdOf(lease)).toBe(fd);
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
  expect(readBackHost(fdOf(lease))).toMatch(/^(127\.0\.0\.1|::1)$/);
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
    const first = await sockets.take(${JSON.stringify(local)}, options);
    if (${give}) sockets.giveTo(65534, 65534);
    process.setgid(65534); process.setuid(65534);
    await sockets.take(${JSON.stringify(local)}, options, "", { slot: 1, count: 2 }).then(() => console.log("shared"), (e) => console.log(e.code));
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
  await using second = await sockets.take(taken, DEFAULT_SOCKET, "", of(1));
  expect(fdOf(second)).not.toBe(fdOf(mine));
});
