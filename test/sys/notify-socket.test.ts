import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openLibc } from "../../src/sys/libc.ts";
import { address, block, pointer } from "../../src/sys/memory.ts";
import {
  monotonicMicros,
  type News,
  sdNotify,
  watchdogInterval,
} from "../../src/sys/notify-socket.ts";
import { emit, type SocketAddress } from "../../src/sys/sockaddr.ts";
import { AGAIN, close, receive } from "../../src/sys/socket.ts";

const libc = openLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
});
const dir = mkdtempSync(join(tmpdir(), "tern-notify-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** A service manager that takes one datagram at a time. */
function manager(at: SocketAddress): { read(): string; close(): void } {
  const fd = libc.socket(1, 2 | 0o2004000, 0);
  const bytes = emit(at);
  if (bytes === undefined || libc.bind(fd, pointer(address(bytes)), bytes.length) < 0)
    throw new Error("bind");
  const into = block(4096);
  return {
    read() {
      const n = receive(fd, into.at, 4096);
      return n === AGAIN ? "" : new TextDecoder().decode(into.bytes.subarray(0, n));
    },
    close: () => close(fd),
  };
}

describe.each([
  { story: "a path", path: join(dir, "notify"), at: { kind: "unix", path: join(dir, "notify") } },
  {
    story: "an abstract name",
    path: `@tern-notify-${process.pid}`,
    at: { kind: "abstract", name: `tern-notify-${process.pid}` },
  },
] as const)("by $story", ({ path, at }) => {
  const systemd = manager(at);
  afterAll(() => systemd.close());

  test.each([
    { news: { ready: true, status: "serving" }, says: "READY=1\nSTATUS=serving\n" },
    { news: { stopping: true }, says: "STOPPING=1\n" },
    { news: { watchdog: true }, says: "WATCHDOG=1\n" },
    { news: { mainPid: 4711, ready: true }, says: "MAINPID=4711\nREADY=1\n" },
    { news: { status: "a\nMAINPID=1" }, says: "STATUS=a MAINPID=1\n" },
  ] satisfies { news: News; says: string }[])("$says", ({ news, says }) => {
    expect(sdNotify(news, path)).toBe(true);
    expect(systemd.read()).toBe(says);
  });

  test("a reload says when it began, on the clock systemd reads", () => {
    const before = monotonicMicros();
    expect(sdNotify({ reloading: true }, path)).toBe(true);
    const [, micros = "0"] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)\n$/.exec(systemd.read()) ?? [];
    expect(BigInt(micros)).toBeGreaterThanOrEqual(before);
    expect(BigInt(micros)).toBeLessThanOrEqual(monotonicMicros());
  });
});

test("the clock is the system's uptime, near enough", async () => {
  const uptime = Number((await Bun.file("/proc/uptime").text()).split(" ")[0]);
  // /proc/uptime counts suspended time too; no test machine sleeps.
  expect(Math.abs(Number(monotonicMicros()) / 1e6 - uptime)).toBeLessThan(5);
});

test.each([
  { story: "no manager", path: undefined },
  { story: "an empty variable", path: "" },
  { story: "nobody there", path: join(dir, "nobody") },
  { story: "a path too long", path: `/${"x".repeat(200)}` },
])("$story is no reason to stop", ({ path }) => {
  // `undefined` would read the environment of whoever runs the tests.
  const had = process.env["NOTIFY_SOCKET"];
  delete process.env["NOTIFY_SOCKET"];
  expect(sdNotify({ ready: true }, path)).toBe(false);
  if (had !== undefined) process.env["NOTIFY_SOCKET"] = had;
});

test.each([
  { story: "half of thirty seconds", env: { WATCHDOG_USEC: "30000000" }, ms: 15_000 },
  { story: "ours", env: { WATCHDOG_USEC: "2000000", WATCHDOG_PID: "7" }, ms: 1000 },
  { story: "another's", env: { WATCHDOG_USEC: "2000000", WATCHDOG_PID: "8" }, ms: undefined },
  { story: "off", env: {}, ms: undefined },
  { story: "nonsense", env: { WATCHDOG_USEC: "soon" }, ms: undefined },
  { story: "zero", env: { WATCHDOG_USEC: "0" }, ms: undefined },
])("watchdog: $story", ({ env, ms }) => {
  expect(watchdogInterval(env, 7)).toBe(ms);
});
