/** Two terns in two network namespaces, and what goes through their tunnel. Root only. */
import { expect, setDefaultTimeout, test } from "bun:test";

import type { TrialReport } from "../../src/services/tunnel/actions.ts";
import type { TunnelStatus } from "../../src/services/tunnel/status.ts";
import { type Appliance, until } from "./from-source.ts";
import { datagramsLost, iperf, type Lab, lab, twoEnds } from "./tunnel-lab.ts";

setDefaultTimeout(180_000); // whole programs start and end, on a machine that may be busy

const root = process.getuid?.() === 0;

async function statusOf(tern: Appliance, name = "warp"): Promise<TunnelStatus> {
  const { out } = await tern.verb("tunnel", "status", "--json");
  return (JSON.parse(out) as Record<string, TunnelStatus>)[name] as TunnelStatus;
}

/** Both ends, once they have met. */
async function pair(net: Lab, changes: Parameters<typeof twoEnds>[0] = {}) {
  const ends = twoEnds(changes);
  const near = await net.tern("near", { warp: ends.near });
  const far = await net.tern("far", { warp: ends.far });
  await far.logged("a tunnel is up");
  await near.logged("a tunnel is up");
  return { ends, near, far };
}

test.if(root)("ping, TCP and UDP, over IPv4 and IPv6, both ways", async () => {
  await using net = await lab();
  const { near, far } = await pair(net);
  await using _ = near;
  await using __ = far;
  for (const to of ["10.60.0.1", "fd60::1"]) expect(await net.lost("far", to)).toBe(0);
  for (const to of ["10.60.0.2", "fd60::2"]) expect(await net.lost("near", to)).toBe(0);
  // Longer than a packet: cut by the kernel on this side, put together on the other.
  const { code } = await net.run("far", "ping", "-c", "2", "-i", "0.1", "-s", "8000", "10.60.0.1");
  expect(code).toBe(0);
  for (const to of ["10.60.0.1", "fd60::1"])
    for (const way of [[], ["-R"]])
      expect((await iperf(net, to, ...way)).bitsPerSecond).toBeGreaterThan(50e6);
  expect(await datagramsLost(net, "10.60.0.1")).toBeLessThan(5);
  const status = await statusOf(far);
  expect(status).toMatchObject({ state: "up", protocol: "tern", peer: "10.50.0.1:9000" });
  expect(status.rttMs).toBeGreaterThan(0);
  expect(status.traffic).toMatchObject({ forged: 0, malformed: 0, refused: 0 });
  expect((await far.verb("tunnel", "status")).out).toContain("warp  up  warp, mtu 1380");
  const metrics = await fetch("http://tern/metrics", { unix: `${far.dir}/var/tern.sock` });
  expect(await metrics.text()).toContain('tern_tunnel_up{tunnel="warp"} 1');
});

test.if(root)(
  "over IPv6 outside; a client that moves takes the tunnel along; new keys",
  async () => {
    await using net = await lab();
    const { near, far } = await pair(net, {
      near: { listen: ":9000" },
      far: { peer: "[fd50::1]:9000" },
    });
    await using _ = near;
    await using __ = far;
    expect((await statusOf(near)).peer).toStartWith("[fd50::2]:");
    const pings = net.lost("near", "10.60.0.2", 30, 0.1);
    await net.ip("far", "address", "add", "fd50::7/64", "dev", "wire0", "nodad");
    await net.ip("far", "address", "del", "fd50::2/64", "dev", "wire0");
    expect(await pings).toBeLessThan(35);
    expect((await statusOf(near)).peer).toStartWith("[fd50::7]:");

    const before = await statusOf(far);
    await Bun.sleep(5200); // handshakes are not begun more often than each five seconds
    const more = net.lost("far", "10.60.0.1", 20, 0.1);
    expect((await far.verb("tunnel", "rekey", "warp")).code).toBe(0);
    expect(await more).toBe(0);
    expect((await statusOf(far)).handshakeAt).toBeGreaterThan((before.handshakeAt ?? 0) + 4000);
  },
);

test.if(root).each([{}, { transport: "udt" }])(
  "kill -9 of either end leaves nothing, and the other one recovers by itself: %o",
  async (both) => {
    await using net = await lab();
    const { ends, near, far } = await pair(net, {
      near: both,
      far: { ...both, routes: ["10.70.0.0/16"] },
    });
    await using _ = near;
    near.kill("SIGKILL");
    await near.exited;
    expect(await net.ip("near", "link")).not.toContain("warp");
    expect(await net.ip("near", "address")).not.toContain("10.60.");
    await using near2 = await net.tern("near", { warp: ends.near });
    await near2.logged("a tunnel is up");
    await until(async () => (await net.lost("far", "10.60.0.1")) === 0);

    await using __ = far;
    const routes = async () =>
      (await net.ip("far", "-4", "route", "show", "table", "all")).split("\n").sort();
    await until(async () => (await routes()).join().includes("10.70.0.0/16 dev warp"));
    far.kill("SIGKILL");
    await far.exited;
    expect(await net.ip("far", "link")).not.toContain("warp");
    for (const family of ["-4", "-6"])
      expect(await net.ip("far", family, "route", "show", "table", "all")).not.toContain("warp");
    await using far2 = await net.tern("far", { warp: ends.far });
    await far2.logged("a tunnel is up");
    await until(async () => (await net.lost("near", "10.60.0.2")) === 0);
    await until(async () => (await routes()).filter((one) => one.includes("10.70.")).length === 1);
  },
);

test.if(root)(
  "a peer that cannot be heard is dead within five seconds, and back when it can",
  async () => {
    await using net = await lab();
    const { near, far } = await pair(net);
    await using _ = near;
    await using __ = far;
    await net.ip("near", "link", "set", "wire0", "down");
    const cut = performance.now();
    await far.logged("a tunnel is down: nothing is heard of the peer");
    expect(performance.now() - cut).toBeLessThan(5000);
    await net.ip("near", "link", "set", "wire0", "up");
    await far.logged("a tunnel is up", 2);
    expect(await net.lost("far", "10.60.0.1")).toBe(0);
  },
);

test.if(root)("a reload touches no tunnel that has not changed", async () => {
  await using net = await lab();
  const { ends, near, far } = await pair(net, { far: { routes: ["10.70.0.0/16"] } });
  await using _ = near;
  await using __ = far;
  const before = await statusOf(far);
  const index = await net.ip("far", "link", "show", "warp");
  const pings = net.lost("far", "10.60.0.1", 40, 0.05);
  const config = (tunnel: object) => ({
    workers: 1,
    user: "root",
    state: `${far.dir}/var`,
    admin: { listen: [] },
    tunnel,
  });
  const other = { ...twoEnds().far, peer: "10.50.0.9:1", local: [], remote: [] };
  await far.rewrite(config({ warp: ends.far, other }));
  expect((await far.verb("reload")).code).toBe(0);
  expect(await pings).toBe(0);
  expect(await net.ip("far", "link", "show", "warp")).toBe(index);
  expect((await statusOf(far)).handshakeAt).toBe(before.handshakeAt as number);
  expect(await net.ip("far", "link")).toContain("other");

  // What has changed changes, and the conversation goes on.
  await far.rewrite(config({ warp: { ...ends.far, routes: ["10.71.0.0/16"], mtu: 1300 } }));
  expect((await far.verb("reload")).code).toBe(0);
  expect(await net.ip("far", "link")).not.toContain("other");
  expect(await net.ip("far", "route")).toContain("10.71.0.0/16 dev warp");
  expect(await net.ip("far", "route")).not.toContain("10.70.0.0/16");
  expect(await net.ip("far", "link", "show", "warp")).toContain("mtu 1300");
  expect((await statusOf(far)).handshakeAt).toBe(before.handshakeAt as number);
  expect(await net.lost("far", "10.60.0.1")).toBe(0);

  expect((await far.verb("tunnel", "down", "warp")).code).toBe(0);
  await near.logged("a tunnel is down: nothing is heard of the peer");
  expect((await statusOf(far)).state).toBe("held");
  expect((await far.verb("tunnel", "up", "warp")).code).toBe(0);
  await near.logged("a tunnel is up", 2);
  expect(await net.lost("far", "10.60.0.1")).toBe(0);
});

test.if(root)("strangers get no answer, and are counted", async () => {
  await using net = await lab();
  const { near, far } = await pair(net);
  await using _ = near;
  await using __ = far;
  const shout = `
    const socket = await Bun.udpSocket({ socket: { data: () => { console.log("an answer"); } } });
    for (let i = 0; i < 2000; i++) {
      const bytes = crypto.getRandomValues(new Uint8Array(1 + (i * 7) % 1400));
      if (i % 2 === 0) bytes.set([[1, 2, 3, 4, 0x54][i % 5], i % 3 === 0 ? 1 : 0, 0, 0].slice(0, bytes.length));
      socket.send(bytes, 9000, "10.50.0.1");
      if (i % 100 === 0) await Bun.sleep(2);
    }
    await Bun.sleep(200);
    process.exit(0);`;
  const { out, code } = await net.run("far", process.execPath, "-e", shout);
  expect([out, code]).toEqual(["", 0]);
  expect(await net.lost("far", "10.60.0.1")).toBe(0);
  await until(async () => {
    const metrics = await fetch("http://tern/metrics", { unix: `${near.dir}/var/tern.sock` });
    const unknown = /^tern_tunnel_unknown_total.* (\d+)$/m.exec(await metrics.text())?.[1];
    return Number(unknown) > 1000;
  }, 5000);
});

test
  .if(root)
  .each([
    { compress: "zstd" },
    { compress: "zlib" },
    { compress: "lzo" },
    { compress: "zstd", transport: "udt" },
  ])("what can be shorter is: %o, one end only", async (keys) => {
  await using net = await lab();
  const { compress: _, ...both } = keys;
  const { near, far } = await pair(net, { near: both, far: keys });
  await using _near = near;
  await using _far = far;
  const before = await statusOf(far);
  const { sent, answered } = await net.pings("far", "10.60.0.1", {
    count: 101,
    interval: 0.01,
    patience: 30,
    options: ["-p", "a5", "-s", "1200"],
  });
  const { traffic, warning } = await statusOf(far);
  // Each once, and in turn. What was sent last may still be on its way.
  expect(answered).toEqual(Array.from({ length: 101 }, (_, i) => i + 1));
  expect(warning).toContain("VORACLE");
  expect((traffic.sentBytes - before.traffic.sentBytes) / sent).toBeLessThan(600);
  expect((traffic.receivedBytes - before.traffic.receivedBytes) / 101).toBeGreaterThan(1200);
  expect((await iperf(net, "10.60.0.1")).bitsPerSecond).toBeGreaterThan(1e6);
  expect((await statusOf(near)).traffic).toMatchObject({ malformed: 0, refused: 0, forged: 0 });
});

test.if(root)(
  "a test says how much goes through, both ways, and is of no use to strangers",
  async () => {
    await using net = await lab();
    const { near, far } = await pair(net);
    await using _ = near;
    await using __ = far;
    // So little that the wire is the limit, and not a machine that is busy.
    const wire = 8e6;
    await net.narrow(wire);
    const { code, out } = await far.verb("tunnel", "test", "warp", "--seconds", "3", "--json");
    expect(code).toBe(0);
    const report = JSON.parse(out) as TrialReport;
    expect(report).toMatchObject({ phase: "done", length: 1380, mtu: 1380, mtuBy: "config" });
    for (const way of [report.out, report.in]) {
      // Of packets inside, of the wire's 1438 bytes for each of 1380.
      expect(way?.bitsPerSecond).toBeGreaterThan(0.7 * wire);
      expect(way?.bitsPerSecond).toBeLessThan(1.2 * wire);
      expect(way?.lost).toBeLessThan(0.1);
      expect(way?.rttMs).toBeGreaterThan(0);
    }
    expect((await statusOf(near)).traffic).toMatchObject({ malformed: 0, forged: 0 });
    const shown = await near.verb("tunnel", "test", "warp", "--seconds", "1");
    expect(shown.out).toMatch(/^ {2}in {4}[\d.]+ Mbit\/s, /m);
    // A peer that goes away meanwhile is no reason to wait for ever.
    const test = far.verb("tunnel", "test", "warp", "--seconds", "2");
    await Bun.sleep(1000);
    await net.ip("near", "link", "set", "wire0", "down");
    expect((await test).code).toBe(1);
    await far.logged("a tunnel is down: nothing is heard of the peer");
    const none = await far.verb("tunnel", "test", "warp");
    expect([none.code, none.err]).toEqual([1, expect.stringContaining("nobody to test it with")]);
    expect((await far.verb("tunnel", "test", "other")).err).toContain("there is no tunnel");
  },
);
