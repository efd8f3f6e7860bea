/** A tunnel between two terns that only a third one can reach, which passes it on and cannot open it. Root only. */
import { expect, setDefaultTimeout } from "bun:test";

import type { TunnelStatus } from "../../src/services/tunnel/status.ts";
import { asRoot } from "../sys/needs.ts";
import { said } from "./binary.ts";
import type { Appliance } from "./from-source.ts";
import { until } from "./from-source.ts";
import { iperf, keyPair, lab } from "./tunnel-lab.ts";

setDefaultTimeout(60_000);

async function statusOf(tern: Appliance): Promise<Record<string, TunnelStatus>> {
  return JSON.parse((await tern.verb("tunnel", "status", "--json")).out);
}

/** Another namespace, for devices of a program that is elsewhere. */
async function inner(name: string): Promise<AsyncDisposable> {
  await said(["ip", "netns", "add", name]);
  await said(["ip", "-n", name, "link", "set", "lo", "up"]);
  return { [Symbol.asyncDispose]: async () => void (await said(["ip", "netns", "del", name])) };
}

for (const [protocol, keys] of [
  ["ours", {}],
  ["WireGuard's", { wireguard: true, keepalive: "1s" }],
] as const)
  asRoot(`two that meet at a third are one tunnel, which it cannot open: ${protocol}`, () =>
    meet(keys),
  );

async function meet(keys: object): Promise<void> {
  await using net = await lab();
  const there = `tt-inner-${process.pid}`;
  await using _ = await inner(there);
  const [r, a, b] = [keyPair(), keyPair(), keyPair()];
  const hub = "10.50.0.1:9000";
  const ends = (own: string, other: string) => ({ local: [own], remote: [other], ...keys });
  // The middle knows both, and what they send one another is not for it.
  await using middle = await net.tern(
    "near",
    {
      a: {
        listen: hub,
        key: r.key,
        peer_key: a.pub,
        relay: "b",
        ...ends("10.61.0.1", "10.61.0.2"),
      },
      b: {
        listen: hub,
        key: r.key,
        peer_key: b.pub,
        relay: "a",
        ...ends("10.62.0.1", "10.62.0.2"),
      },
    },
    { workers: 2 },
  );
  const one = { listen: "10.50.0.2:9001", key: a.key, peer: hub };
  await using left = await net.tern("far", {
    r: { ...one, peer_key: r.pub, ...ends("10.61.0.2", "10.61.0.1") },
    ab: { ...one, peer_key: b.pub, ...ends("10.63.0.1", "10.63.0.2") },
  });
  const two = { listen: "10.50.0.2:9002", key: b.key, netns: there };
  await using right = await net.tern("far", {
    r: { ...two, peer: hub, peer_key: r.pub, ...ends("10.62.0.2", "10.62.0.1") },
    ba: { ...two, peer_key: a.pub, ...ends("10.63.0.2", "10.63.0.1") },
  });
  await left.logged("a tunnel is up", 2);
  await right.logged("a tunnel is up", 2);
  for (const to of ["10.63.0.2", "10.61.0.1"]) expect(await net.lost("far", to)).toBe(0);
  // Its devices are there, and only there.
  expect((await said(["ip", "-n", there, "link"])).out).toContain("ba: ");
  expect(await net.ip("far", "link")).not.toContain("ba: ");
  const server = Bun.spawn(["ip", "netns", "exec", there, "iperf3", "-s", "-1"], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  try {
    const spawn = (): Bun.Subprocess => server;
    expect((await iperf({ ...net, spawn }, "10.63.0.2")).bitsPerSecond).toBeGreaterThan(20e6);
  } finally {
    server.kill("SIGKILL");
  }

  const seen = await statusOf(middle);
  expect(seen["a"]?.traffic.relayed).toBeGreaterThan(1000);
  expect(seen["b"]?.traffic.relayed).toBeGreaterThan(100);
  expect((await statusOf(right))["ba"]).toMatchObject({ state: "up", peer: hub });

  // Whoever comes from elsewhere is passed on nowhere.
  const before = (await statusOf(middle))["a"]?.traffic.relayed;
  const shout = `
    const socket = await Bun.udpSocket({});
    for (let i = 0; i < 200; i++) socket.send(new Uint8Array(64).fill(0x54), 9000, "10.50.0.1");
    process.exit(0);`;
  await left.verb("tunnel", "down", "ab");
  await right.verb("tunnel", "down", "ba");
  await Bun.sleep(500);
  const quiet = (await statusOf(middle))["a"]?.traffic.relayed ?? 0;
  expect(quiet).toBeGreaterThanOrEqual(before ?? 0);
  await net.run("far", process.execPath, "-e", shout);
  expect((await statusOf(middle))["a"]?.traffic.relayed).toBe(quiet);

  // One that is gone comes back, and the tunnel with it.
  await left.verb("tunnel", "up", "ab");
  await right.verb("tunnel", "up", "ba");
  await until(async () => (await net.lost("far", "10.63.0.2", 1)) === 0, 15_000);
}
