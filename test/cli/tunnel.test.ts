import { expect, test } from "bun:test";

import { publicKeyOf } from "../../src/cli/tunnel-keys.ts";
import { showTunnels } from "../../src/cli/tunnel-status.ts";
import { showTrial } from "../../src/cli/tunnel-test.ts";
import { isKey } from "../../src/services/tunnel/config.ts";
import type { TunnelStatus } from "../../src/services/tunnel/status.ts";
import { Traffic } from "../../src/services/tunnel/traffic.ts";
import { said } from "../e2e/binary.ts";
import { TERN } from "../e2e/from-source.ts";

const NOW = Date.parse("2026-11-22T18:00:00Z");
const KEY = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";

const warp1: TunnelStatus = {
  state: "up",
  protocol: "tern",
  cipher: "aes-256-gcm",
  device: "warp1",
  mtu: 1380,
  listen: ":9000",
  peer: "192.0.2.7:41000",
  peerKey: KEY,
  handshakeAt: NOW - 65_000,
  heardAt: NOW - 300,
  rttMs: 24.3,
  variationMs: 1.2,
  lossOut: 0.012,
  lossIn: 0,
  routes: ["10.19.0.0/19"],
  metric: 15_553,
  repairs: null,
  traffic: Object.assign(new Traffic(), { sentBytes: 2_000_000, receivedBytes: 1024, forged: 3 }),
};

test("a tunnel for people, with rates when somebody looks twice", () => {
  const before = {
    tunnels: {
      warp1: {
        ...warp1,
        traffic: Object.assign(new Traffic(), { sentBytes: 1_000_000, receivedBytes: 1024 }),
      },
    },
    at: NOW - 1000,
  };
  const shown = showTunnels({ tunnels: { warp1 }, at: NOW }, before, (_, text) => text);
  expect(shown.split("\n")).toEqual([
    "warp1  up  warp1, mtu 1380",
    `  peer     192.0.2.7:41000, key ${KEY}`,
    "  listens  :9000",
    "  keys     tern, aes-256-gcm, made 1m5s ago",
    "  heard    300ms ago",
    "  path     24.3 ms ± 1.2, lost 1.2 % out, 0.0 % in",
    "  sent     1.9 MiB (8.0 Mbit/s)",
    "  received 1 KiB (0.0 Mbit/s)",
    "  routes   10.19.0.0/19, metric 15553",
    "  dropped  3 forged",
  ]);
});

test("one that was never heard of", () => {
  const never = {
    ...warp1,
    state: "down",
    peer: null,
    cipher: null,
    handshakeAt: null,
    heardAt: null,
    rttMs: null,
    routes: [],
    traffic: new Traffic(),
  } as const;
  expect(showTunnels({ tunnels: { never }, at: NOW }, undefined, (_, text) => text)).toContain(
    "not seen yet",
  );
  expect(showTunnels({ tunnels: {}, at: NOW }, undefined, (_, text) => text)).toBe("no tunnels");
});

test("keys are those of wg", async () => {
  const { out: key } = await said([...TERN, "tunnel", "genkey"]);
  expect(isKey(key.trim())).toBe(true);
  const pub = await said(["sh", "-c", `echo ${key.trim()} | ${TERN.join(" ")} tunnel pubkey`]);
  expect(pub.out.trim()).toBe(publicKeyOf(key.trim()));
  if (Bun.which("wg") !== null) {
    const theirs = await said(["sh", "-c", `echo ${key.trim()} | wg pubkey`]);
    expect(pub.out).toBe(theirs.out);
  }
  const bad = await said(["sh", "-c", `echo nonsense | ${TERN.join(" ")} tunnel pubkey`]);
  expect([bad.code, bad.err]).toEqual([
    1,
    "tern: expected a private key on standard input: 32 bytes in base64\n",
  ]);
});

test("a test of a tunnel, for people", () => {
  const out = { bitsPerSecond: 94_260_000, lost: 0.0012, rttMs: 31.5 };
  const report = { phase: "done", length: 1380, peer: "192.0.2.7:9000", idleRttMs: 24.3 } as const;
  const done = { ...report, out, in: { ...out, rttMs: null }, mtu: 1380, mtuBy: "config" } as const;
  expect(showTrial("warp1", done).split("\n")).toEqual([
    "warp1  192.0.2.7:9000",
    "  path  24.3 ms while it is quiet",
    "  out   94.3 Mbit/s, 0.12 % lost, round trip 31.5 ms",
    "  in    94.3 Mbit/s, 0.12 % lost, round trip ?",
    "  mtu   1380, as configured: the path may carry more",
  ]);
  const failed = { ...done, phase: "failed", in: null, mtu: 1312, mtuBy: "path" } as const;
  expect(showTrial("warp1", failed)).toContain("warp1  192.0.2.7:9000  failed");
  expect(showTrial("warp1", failed)).toContain("in    not known: the peer did not answer");
  expect(showTrial("warp1", failed)).toContain("mtu   1312, found out");
});
