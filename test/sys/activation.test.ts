import { afterAll, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { asConfigured, inheritedSockets } from "../../src/sys/activation.ts";
import { listenStream } from "../../src/sys/listen.ts";
import { close } from "../../src/sys/socket.ts";

const dir = mkdtempSync(join(tmpdir(), "tern-activation-"));
afterAll(() => rmSync(dir, { recursive: true }));
const options = { backlog: 8, reusePort: false, fastOpen: 0, deferAccept: 0 };

/** What a process started as systemd starts one makes of `fds`, told `env`. */
async function activated(fds: number[], env: Record<string, string>): Promise<unknown> {
  const code = `
    import { readFileSync } from "node:fs";
    const { inheritedSockets } = await import("${import.meta.dir}/../../src/sys/activation.ts");
    try {
      const sockets = inheritedSockets();
      const flags = sockets.map(({ fd }) => Number.parseInt(/^flags:\\s*(\\d+)/m.exec(readFileSync("/proc/self/fdinfo/" + fd, "utf8"))[1], 8) & 0o2004000);
      const left = Object.keys(process.env).filter((k) => k.startsWith("LISTEN_"));
      console.log(JSON.stringify({ sockets, left, ready: flags.every((f) => f === 0o2004000) }));
    } catch (e) { console.log(JSON.stringify(e.message)); }`;
  const file = join(dir, "child.ts");
  await Bun.write(file, code);
  const child = Bun.spawn(["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", process.execPath, file], {
    stdio: ["ignore", "pipe", "inherit", ...fds],
    env: { ...process.env, ...env },
  });
  const text = await new Response(child.stdout as ReadableStream).text();
  return JSON.parse(text);
}

test("sockets come with their names and addresses, ready to use; the variables are gone", async () => {
  const six = await Bun.file("/proc/net/if_inet6").exists();
  const tcp = listenStream({ kind: "tcp", host: six ? "" : "127.0.0.1", port: 0 }, options);
  const path = join(dir, "a.sock");
  const unix = listenStream({ kind: "unix", path }, options);
  const env = { LISTEN_FDS: "2", LISTEN_FDNAMES: "http:local" };
  expect(await activated([tcp.fd, unix.fd], env)).toEqual({
    sockets: [
      {
        fd: 3,
        name: "http",
        address: { kind: "tcp", host: six ? "" : "127.0.0.1", port: tcp.port },
      },
      { fd: 4, name: "local", address: { kind: "unix", path } },
    ],
    left: [],
    ready: true,
  });
  close(tcp.fd);
  close(unix.fd);
}, 30_000);

test("a unit that passes something else is told which", async () => {
  const fd = openSync("/proc/version", "r");
  const env = { LISTEN_FDS: "1", LISTEN_FDNAMES: "log" };
  expect(await activated([fd], env)).toBe("getsockopt SO_ACCEPTCONN fd 3: ENOTSOCK");
  closeSync(fd);
}, 30_000);

test.each([
  { story: "none", env: {} },
  { story: "for another process", env: { LISTEN_PID: "8", LISTEN_FDS: "2" } },
  { story: "for nobody in particular", env: { LISTEN_FDS: "2" } },
  { story: "zero", env: { LISTEN_PID: "7", LISTEN_FDS: "0" } },
])("no sockets: $story", ({ env }) => {
  const seen: Record<string, string | undefined> = { ...env, PATH: "/bin" };
  expect(inheritedSockets(seen, 7)).toEqual([]);
  expect(seen).toEqual({ PATH: "/bin" });
});

test.each(["-1", "x", "1.5", "100000"])("LISTEN_FDS=%s is a mistake", (fds) => {
  expect(() => inheritedSockets({ LISTEN_PID: "7", LISTEN_FDS: fds }, 7)).toThrow(
    `activation LISTEN_FDS=${fds}: EINVAL`,
  );
});

const ip6 = { kind: "inet6", flow: 0, port: 80 } as const;
test.each([
  { at: { ...ip6, host: "::", scope: 0 }, v6Only: false, host: "" },
  { at: { ...ip6, host: "::", scope: 0 }, v6Only: true, host: "::" },
  { at: { ...ip6, host: "::1", scope: 0 }, v6Only: false, host: "::1" },
  { at: { ...ip6, host: "fe80::1", scope: 2 }, v6Only: true, host: "fe80::1%2" },
])("$at.host, v6only $v6Only, is configured as host '$host'", ({ at, v6Only, host }) => {
  expect(asConfigured(at, v6Only)).toEqual({ kind: "tcp", host, port: 80 });
});
test("names", () => {
  expect(asConfigured({ kind: "abstract", name: "x" }, false)).toEqual({
    kind: "unix",
    path: "@x",
  });
  expect(asConfigured({ kind: "unnamed" }, false)).toBeUndefined();
});
