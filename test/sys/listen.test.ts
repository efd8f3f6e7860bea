import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { lstatSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Address } from "../../src/core/address.ts";
import { applyOptions, type ListenOptions, listenStream, readBack } from "../../src/sys/listen.ts";
import { setOption } from "../../src/sys/socket-options.ts";
import { accept, AGAIN, close } from "../../src/sys/socket.ts";
import { asRoot, needs } from "./needs.ts";

const options: ListenOptions = { backlog: 511, reusePort: true, fastOpen: 256, deferAccept: 5000 };
const off: ListenOptions = { backlog: 16, reusePort: false, fastOpen: 0, deferAccept: 0 };
const hasIp6 = await Bun.file("/proc/net/if_inet6").exists();

const withIp6 = needs(hasIp6, "IPv6");

const made: number[] = [];
const dir = mkdtempSync(join(tmpdir(), "tern-listen-"));
afterAll(() => rmSync(dir, { recursive: true }));
afterEach(() => {
  for (const fd of made.splice(0)) close(fd);
});

function listen(address: Address, o = options): { fd: number; port: number } {
  const socket = listenStream(address, o);
  made.push(socket.fd);
  return socket;
}
const tcp = (host: string, port = 0): Address => ({ kind: "tcp", host, port });
const unix = (path: string): Address => ({ kind: "unix", path });

describe("what is asked for is what the kernel has", () => {
  test.each([
    { story: "every option", o: options, deferAccept: 7000 }, // 5 s is rounded up to 1+2+4 s
    { story: "none", o: off, deferAccept: 0 },
  ])("$story", ({ o, deferAccept }) => {
    const { fd, port } = listen(tcp("127.0.0.1"), o);
    expect(readBack(fd)).toEqual({
      address: { kind: "inet", host: "127.0.0.1", port },
      listening: true,
      reuseAddress: true,
      reusePort: o.reusePort,
      noDelay: true,
      fastOpen: o.fastOpen,
      deferAccept,
      v6Only: undefined,
      queue: { waiting: 0, limit: o.backlog },
    });
  });

  test("changed on a socket in use, and changed back", () => {
    const { fd } = listen(tcp("127.0.0.1"));
    applyOptions(fd, off);
    expect(readBack(fd)).toMatchObject({ fastOpen: 0, deferAccept: 0, queue: { limit: 16 } });
    applyOptions(fd, options);
    expect(readBack(fd)).toMatchObject({ fastOpen: 256, deferAccept: 7000, queue: { limit: 511 } });
  });

  test("non-blocking and close-on-exec", async () => {
    const { fd } = listen(tcp("127.0.0.1"));
    const flags = (await Bun.file(`/proc/self/fdinfo/${fd}`).text()).match(/^flags:\s*(\d+)/m)?.[1];
    expect(Number.parseInt(flags ?? "0", 8) & 0o2004000).toBe(0o2004000);
    expect(accept(fd)).toBe(AGAIN);
  });

  needs(Bun.which("ss") !== null, "ss (iproute2)")("ss shows address, backlog and family", () => {
    const { port } = listen(tcp("127.0.0.1"));
    const six = hasIp6 ? listen(tcp("")).port : 0;
    const shown = Bun.spawnSync(["ss", "-Hltne"]).stdout.toString();
    const line = (p: number): string => shown.split("\n").find((l) => l.includes(`:${p} `)) ?? "";
    expect(line(port)).toMatch(/^LISTEN +0 +511 +127\.0\.0\.1:/);
    if (hasIp6) expect(line(six)).toMatch(/^LISTEN +0 +511 +\*:.* v6only:0/);
  });
});

describe("families", () => {
  withIp6("host empty answers IPv4 and IPv6", async () => {
    const { fd, port } = listen(tcp(""), off);
    expect(readBack(fd)).toMatchObject({ address: { kind: "inet6", host: "::" }, v6Only: false });
    expect(await reach({ host: "127.0.0.1", port })).toBe("connected");
    expect(await reach({ host: "::1", port })).toBe("connected");
    close(accept(fd));
    close(accept(fd));
  });

  withIp6("[::] leaves IPv4 to another listener on the same port", () => {
    const six = listen(tcp("::"), off);
    expect(readBack(six.fd).v6Only).toBe(true);
    expect(listen(tcp("0.0.0.0", six.port), off).port).toBe(six.port);
  });

  test("TCP_NODELAY comes down to accepted connections", async () => {
    const { fd, port } = listen(tcp("127.0.0.1"), off);
    expect(await reach({ host: "127.0.0.1", port })).toBe("connected");
    const connection = accept(fd);
    made.push(connection);
    expect(readBack(connection)).toMatchObject({ listening: false, noDelay: true });
  });

  test("SO_REUSEPORT: two sockets, one port; without it, one", () => {
    const { port } = listen(tcp("127.0.0.1"));
    expect(listen(tcp("127.0.0.1", port)).port).toBe(port);
    expect(() => listen(tcp("127.0.0.1", port), off)).toThrow(`bind 127.0.0.1:${port}: EADDRINUSE`);
  });
});

describe("unix sockets", () => {
  test("a path is made with its mode, and answered", async () => {
    const path = join(dir, "plain.sock");
    const { fd, port } = listen(unix(path), { ...options, mode: 0o600 });
    expect([port, statSync(path).mode & 0o777]).toEqual([0, 0o600]);
    expect(readBack(fd)).toMatchObject({ address: unix(path), listening: true });
    expect(await reach({ path })).toBe("connected");
    listen(unix(join(dir, "open.sock")));
    expect(statSync(join(dir, "open.sock")).mode & 0o777).toBe(0o666);
  });

  test("a path its owner left behind is taken over", async () => {
    const path = join(dir, "stale.sock");
    close(listenStream(unix(path), options).fd);
    const before = lstatSync(path).ino;
    listen(unix(path));
    expect(await reach({ path })).toBe("connected");
    expect(lstatSync(path).isSocket()).toBe(true);
    expect(before).toBeGreaterThan(0);
  });

  test("a path in use is not", () => {
    const path = join(dir, "live.sock");
    const { fd } = listen(unix(path));
    expect(() => listen(unix(path))).toThrow(`bind unix:${path}: EADDRINUSE`);
    expect(readBack(fd).listening).toBe(true);
  });

  test("a file that is no socket is never removed", () => {
    const path = join(dir, "precious");
    writeFileSync(path, "keep me");
    expect(() => listen(unix(path))).toThrow(`bind unix:${path}: EADDRINUSE`);
    expect(statSync(path).size).toBe(7);
  });

  test("an abstract name needs no file", () => {
    const name = `tern-listen-${process.pid}`;
    const { fd } = listen(unix(`@${name}`));
    expect(readBack(fd).address).toEqual({ kind: "abstract", name });
  });
});

describe("errors name the call, the address and why", () => {
  test.each([
    { address: tcp("192.0.2.1", 80), says: "bind 192.0.2.1:80: EADDRNOTAVAIL" },
    { address: tcp("no.such.name", 80), says: "bind no.such.name:80: EADDRNOTAVAIL" },
    { address: tcp("fe80::1%nosuch0", 80), says: "bind [fe80::1%nosuch0]:80: " },
    { address: tcp("127.0.0.1", 65536), says: "bind 127.0.0.1:65536: EADDRNOTAVAIL" },
    { address: unix("/no/such/x.sock"), says: "bind unix:/no/such/x.sock: ENOENT" },
    { address: unix("/".padEnd(120, "x")), says: ": ENAMETOOLONG" },
  ])("$says", ({ address, says }) => {
    expect(() => listen(address)).toThrow(says);
  });

  test("an option the socket has not", () => {
    const { fd } = listen(unix(`@tern-option-${process.pid}`));
    expect(() => setOption(fd, "TCP_FASTOPEN", 1)).toThrow(
      `setsockopt TCP_FASTOPEN fd ${fd}: EOPNOTSUPP`,
    );
  });

  asRoot("a port below 1024, as nobody", () => {
    const code = `
      const { listenStream } = await import("${import.meta.dir}/../../src/sys/listen.ts");
      process.setgid(65534); process.setuid(65534);
      try { listenStream({ kind: "tcp", host: "127.0.0.1", port: 1 }, ${JSON.stringify(options)}); }
      catch (e) { console.log(e.message); }`;
    const child = Bun.spawnSync([process.execPath, "-e", code]);
    expect(child.stdout.toString().trim()).toBe("bind 127.0.0.1:1: EACCES");
  });
});

function reach(to: { host: string; port: number } | { path: string }): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(to);
    socket.on("connect", () => {
      socket.destroy();
      resolve("connected");
    });
    socket.on("error", (failed: NodeJS.ErrnoException) => resolve(failed.code ?? "error"));
  });
}
