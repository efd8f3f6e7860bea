import { afterEach, expect, test } from "bun:test";

import type { ConnectFailure } from "../../../src/net/pools/pool.ts";
import { reactor } from "../../../src/net/reactor-loop.ts";
import { connectFailure } from "../../../src/net/tcp/connect-failure.ts";
import { Dialer } from "../../../src/net/tcp/dialer.ts";
import { destination } from "../../../src/sys/dial.ts";
import { peerOf } from "../../../src/sys/peer.ts";
import { boundTo } from "../../../src/sys/socket-options.ts";
import { close } from "../../../src/sys/socket.ts";
import { freePort } from "../../fake/ports.ts";
import { RawListener, RawPeer } from "../../fake/raw-peer.ts";

const dialer = new Dialer(reactor());
const ends: Disposable[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end[Symbol.dispose]();
});

interface Told {
  readonly fd?: number;
  readonly why?: ConnectFailure | "exhausted";
  readonly tookMs: number;
}

async function dial(host: string, port: number, timeout = 1000, source?: string): Promise<Told> {
  const to = destination(host, port, source);
  if (to === undefined) throw new Error("no destination");
  const began = performance.now();
  return new Promise((resolve) => {
    const caller = {
      connected: (fd: number, tookMs: number) => {
        reactor().remove(fd);
        resolve({ fd, tookMs });
      },
      unreachable: (why: ConnectFailure | "exhausted") =>
        resolve({ why, tookMs: performance.now() - began }),
    };
    const answer = dialer.dial(to, timeout, caller, false);
    if (typeof answer === "string") resolve({ why: answer, tookMs: 0 });
  });
}

test("a server that listens is there, from the address that was asked for", async () => {
  using listener = new RawListener();
  const { fd = -1, tookMs } = await dial("127.0.0.1", listener.port, 1000, "127.0.0.9");
  expect(fd).toBeGreaterThanOrEqual(0);
  expect(tookMs).toBeLessThan(500);
  expect(peerOf(fd)).toEqual({ kind: "inet", host: "127.0.0.1", port: listener.port });
  expect(boundTo(fd)).toMatchObject({ host: "127.0.0.9" });
  close(fd);
});

test("nobody listens", async () => {
  expect(await dial("127.0.0.1", await freePort())).toMatchObject({ why: "refused" });
  expect(await dial("::1", await freePort())).toMatchObject({ why: "refused" });
});

test("nobody answers: a full backlog", async () => {
  using listener = new RawListener(0);
  for (let i = 0; i < 3; i++) ends.push(await RawPeer.to(listener.port));
  const { why, tookMs } = await dial("127.0.0.1", listener.port, 200);
  expect(why).toBe("timeout");
  expect(tookMs).toBeGreaterThanOrEqual(199);
  expect(tookMs).toBeLessThan(800);
  expect(dialer.pending).toBe(0);
});

test("one that nobody wants any more is never heard of", async () => {
  using listener = new RawListener(0);
  for (let i = 0; i < 3; i++) ends.push(await RawPeer.to(listener.port));
  const to = destination("127.0.0.1", listener.port);
  let told = 0;
  const caller = { connected: () => void told++, unreachable: () => void told++ };
  const fd = to && dialer.dial(to, 100, caller, false);
  if (typeof fd === "number") dialer.cancel(fd);
  await Bun.sleep(200);
  expect([told, dialer.pending]).toEqual([0, 0]);
});

test.each([
  { why: "ECONNREFUSED", says: "refused" },
  { why: "EHOSTUNREACH", says: "unreachable" },
  { why: "ENETUNREACH", says: "unreachable" },
  { why: "ETIMEDOUT", says: "timeout" },
  { why: "ECONNRESET", says: "reset" },
  { why: "EACCES", says: "error" },
  { why: "EMFILE", says: "exhausted" },
  { why: "EADDRNOTAVAIL", says: "exhausted" },
] as const)("$why is $says", ({ why, says }) => {
  expect(connectFailure(why)).toBe(says);
});

test("no address of a server, or one of another family, is no destination", () => {
  expect(destination("localhost", 80)).toBeUndefined();
  expect(destination("127.0.0.1", 80, "::1")).toBeUndefined();
  expect(destination("127.0.0.1", 80, "elsewhere")).toBeUndefined();
});
