/** Two tunnels over two wires: routes, failover, scripts, and a path that carries less. Root only. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { temporary } from "../fake/temporary.ts";
import { needs } from "../sys/needs.ts";
import { until } from "./from-source.ts";
import { iperf, lab, twoEnds } from "./tunnel-lab.ts";

setDefaultTimeout(60_000);

const root = process.getuid?.() === 0;

test.if(root)(
  "when one of two tunnels is cut, the other has its routes within three seconds",
  async () => {
    await using net = await lab(2);
    await using dir = await temporary();
    const script = join(dir.path, "told.sh");
    const told = join(dir.path, "told");
    writeFileSync(
      script,
      `#!/bin/sh\necho "$TERN_EVENT $1 $TERN_TUNNEL $TERN_STATE $TERN_ROUTES" >> ${told}\n`,
    );
    chmodSync(script, 0o755);
    const scripts = { up: script, down: script, route_change: script };
    const one = twoEnds();
    const two = twoEnds();
    const shared = { routes: ["10.99.0.0/24"], scripts };
    const back = { routes: ["10.98.0.0/24"] };
    const other = { local: ["10.61.0.2"], remote: ["10.61.0.1"] };
    // Behind each end an address that only the tunnels lead to.
    await net.ip("near", "address", "add", "10.99.0.1/32", "dev", "lo");
    await net.ip("far", "address", "add", "10.98.0.1/32", "dev", "lo");
    await using near = await net.tern("near", {
      one: { ...one.near, ...back, metric: 10 },
      two: {
        ...two.near,
        ...back,
        local: other.remote,
        remote: other.local,
        listen: "10.51.0.1:9000",
        metric: 20,
      },
    });
    await using far = await net.tern("far", {
      one: { ...one.far, ...shared, metric: 10 },
      two: { ...two.far, ...shared, ...other, peer: "10.51.0.1:9000", metric: 20 },
    });
    await near.logged("a tunnel is up", 2);
    await far.logged("a tunnel is up", 2);
    const way = async () =>
      / dev (\w+) /.exec(await net.ip("far", "route", "get", "10.99.0.1"))?.[1];
    expect(await way()).toBe("one");
    const ping = ["ping", "-n", "-I", "10.98.0.1", "-i", "0.1", "-W", "1", "10.99.0.1"];
    expect((await net.run("far", ...ping, "-c", "3")).code).toBe(0);

    await net.ip("far", "link", "set", "wire0", "down");
    const cut = performance.now();
    const failed = net.run("far", ...ping, "-w", "5");
    await until(async () => (await way()) === "two", 5000);
    expect(performance.now() - cut).toBeLessThan(3500);
    const { out } = await failed;
    // Ten a second for five seconds, of which at most three may be lost.
    expect(Number(/(\d+) received/.exec(out)?.[1])).toBeGreaterThan(12);

    await net.ip("far", "link", "set", "wire0", "up");
    await until(async () => (await way()) === "one", 15_000);
    await until(
      () => existsSync(told) && readFileSync(told, "utf8").trim().split("\n").length >= 5,
    );
    const lines = readFileSync(told, "utf8").trim().split("\n");
    expect(lines).toContain("up one one up 10.99.0.0/24");
    expect(lines).toContain("down one one down 10.99.0.0/24");
    expect(
      lines.filter((line) => line.startsWith("route_change one")).length,
    ).toBeGreaterThanOrEqual(2);
    expect(lines.filter((line) => line.startsWith("down two"))).toEqual([]);
  },
);

test.if(root)("a device that somebody deletes is made again, with all that was on it", async () => {
  await using net = await lab();
  const ends = twoEnds({ far: { routes: ["10.99.0.0/24"], scripts: {} } });
  await net.ip("near", "address", "add", "10.99.0.1/32", "dev", "lo");
  await using near = await net.tern("near", { warp: ends.near });
  await using far = await net.tern("far", { warp: ends.far });
  await far.logged("a tunnel is up");
  await near.logged("a tunnel is up");
  for (let time = 1; time <= 2; time++) {
    await net.ip("far", "link", "del", "warp");
    await far.logged("a tunnel's device was deleted: it is made again", time);
    await until(async () => (await net.lost("far", "10.99.0.1", 1)) === 0, 10_000);
    expect(await net.ip("far", "route", "show", "10.99.0.0/24")).toContain("dev warp");
    expect(await net.lost("near", "10.60.0.2")).toBe(0);
  }
  // The keys are the same: nobody had to speak for it.
  expect((await far.verb("tunnel", "status")).out).toContain("warp  up  warp, mtu 1380");
  expect((await far.verb("tunnel", "down", "warp")).code).toBe(0);
  expect((await far.verb("tunnel", "up", "warp")).code).toBe(0);
  await until(async () => (await net.lost("far", "10.99.0.1", 1)) === 0, 10_000);
});

test.if(root)("a path that carries less is found out, and TCP goes on", async () => {
  await using net = await lab();
  const ends = twoEnds();
  for (const side of ["near", "far"] as const) await net.run(side, "nft", "-f", "-"); // nft is there or not: the wire's MTU does it as well
  // A wire drops what is too long for who hears it; for who speaks the system call fails.
  await net.ip("near", "link", "set", "wire0", "mtu", "1400");
  await using near = await net.tern("near", { warp: ends.near });
  await using far = await net.tern("far", { warp: ends.far });
  await near.logged("a tunnel is up");
  await far.logged("a tunnel is up");
  // 1400 less IP, UDP, what is around a plaintext, and its trailer.
  const fits = 1400 - 20 - 8 - 32 - 16;
  for (const side of ["near", "far"] as const)
    await until(async () => {
      const mtu = Number(/mtu (\d+)/.exec(await net.ip(side, "link", "show", "warp"))?.[1]);
      return mtu <= fits && mtu > fits - 16;
    });
  expect((await iperf(net, "10.60.0.1")).bitsPerSecond).toBeGreaterThan(20e6);
  expect((await iperf(net, "10.60.0.1", "-R")).bitsPerSecond).toBeGreaterThan(20e6);
  expect(await net.lost("far", "fd60::1")).toBe(0);
});

test.if(root)(
  "a route that covers the peer's own address does not lead into the tunnel",
  async () => {
    await using net = await lab();
    const ends = twoEnds({ far: { routes: ["10.50.0.0/25", "10.99.0.0/24"] } });
    await net.ip("near", "address", "add", "10.99.0.1/32", "dev", "lo");
    await using near = await net.tern("near", { warp: ends.near });
    const before = await net.ip("far", "route");
    {
      await using far = await net.tern("far", { warp: ends.far });
      await near.logged("a tunnel is up");
      await far.logged("a tunnel is up");
      expect(await net.ip("far", "route", "get", "10.50.0.1")).toContain("dev wire0");
      expect(await net.ip("far", "route", "get", "10.50.0.77")).toContain("dev warp");
      expect(await net.lost("far", "10.99.0.1")).toBe(0);
    }
    expect(await net.ip("far", "route")).toBe(before);
  },
);

/** As udev makes it: whoever has the capability may make devices. */
const open = root && (statSync("/dev/net/tun").mode & 0o6) === 0o6;

const asNobody = needs(open, "a /dev/net/tun that is open to all");
for (const workers of [2, 3])
  asNobody(`with ${workers} workers and without root`, () => several(workers, "nobody"));
if (root) test("with 2 workers", () => several(2, "root"));

async function several(workers: number, who: "nobody" | "root"): Promise<void> {
  await using net = await lab();
  const ends = twoEnds({ near: { listen: ":9000" } });
  const others = twoEnds({ near: { listen: ":9000" } });
  const inner = { local: ["10.61.0.1"], remote: ["10.61.0.2"] };
  const back = { local: ["10.61.0.2"], remote: ["10.61.0.1"] };
  const user = { workers, user: who };
  await using near = await net.tern(
    "near",
    { warp: ends.near, second: { ...others.near, ...inner } },
    user,
  );
  await using far = await net.tern(
    "far",
    { warp: ends.far, second: { ...others.far, ...back } },
    user,
  );
  await near.logged("a tunnel is up", 2);
  await far.logged("a tunnel is up", 2);
  for (const to of ["10.60.0.1", "10.61.0.1"])
    await until(async () => (await net.lost("far", to)) === 0, 10_000);
  const { out } = await near.verb("tunnel", "status", "--json");
  expect(JSON.parse(out)).toMatchObject({ warp: { state: "up" }, second: { state: "up" } });

  // A worker that dies takes its devices along; the one that replaces it makes them again.
  const workersOf = (await near.status()).workers.map(({ pid }) => pid);
  for (const pid of workersOf) if (pid !== undefined) process.kill(pid, "SIGKILL");
  await far.logged("a tunnel is up", 4);
  await until(async () => (await net.lost("far", "10.60.0.1", 1)) === 0, 10_000);
  await until(async () => (await net.lost("far", "10.61.0.1", 1)) === 0, 10_000);
}

test.if(root)(
  "with a kill switch nothing goes another way while the tunnel is not there, until a stop",
  async () => {
    await using net = await lab();
    // Without the tunnel there is another way to the same place, so that a leak would be answered.
    await net.ip("near", "address", "add", "10.99.0.1/32", "dev", "lo");
    await net.ip("near", "address", "add", "fd99::1/128", "dev", "lo");
    await net.ip("far", "route", "add", "default", "via", "10.50.0.1");
    await net.ip("far", "-6", "route", "add", "default", "via", "fd50::1");
    const routes = ["10.99.0.0/24", "fd99::/64", "10.50.0.0/25"]; // the last one has the peer
    const ends = twoEnds({ far: { routes, kill_switch: true } });
    const places = ["10.99.0.1", "fd99::1"];
    const lost = async (): Promise<number[]> => [
      await net.lost("far", places[0] ?? "", 2),
      await net.lost("far", places[1] ?? "", 2),
    ];
    const way = async (to: string) => (await net.run("far", "ip", "route", "get", to)).out;
    expect(await lost()).toEqual([0, 0]);

    await using near = await net.tern("near", { warp: ends.near });
    const far = await net.tern("far", { warp: ends.far });
    await using _ = far;
    await far.logged("a tunnel is up");
    await near.logged("a tunnel is up");
    for (const to of places) expect(await way(to)).toContain("dev warp");
    expect(await lost()).toEqual([0, 0]);
    expect((await far.verb("tunnel", "down", "warp")).code).toBe(0);
    expect(await lost()).toEqual([100, 100]);
    expect((await far.verb("tunnel", "up", "warp")).code).toBe(0);
    await until(async () => (await lost()).join() === "0,0", 10_000);

    far.kill("SIGKILL");
    await far.exited;
    expect(await net.ip("far", "link")).not.toContain("warp");
    expect(await lost()).toEqual([100, 100]);
    {
      await using again = await net.tern("far", { warp: ends.far });
      await again.logged("a tunnel is up");
      await until(async () => (await lost()).join() === "0,0", 10_000);
      for (const to of places) expect(await way(to)).toContain("dev warp");
      expect((await net.ip("far", "route", "show", "type", "unreachable")).split("\n").length).toBe(
        3, // a line for each, and its end
      );
    }
    expect(await net.ip("far", "route", "show", "type", "unreachable")).toBe("");
    expect(await net.ip("far", "-6", "route", "show", "type", "unreachable")).not.toContain("fd99");
    expect(await lost()).toEqual([0, 0]);

    // Whose config has none any more takes away what a crash has left.
    const third = await net.tern("far", { warp: ends.far });
    await using __ = third;
    await third.logged("a tunnel is up");
    third.kill("SIGKILL");
    await third.exited;
    await using plain = await net.tern("far", { warp: { ...ends.far, kill_switch: false } });
    await plain.logged("a tunnel is up");
    expect(await net.ip("far", "route", "show", "type", "unreachable")).toBe("");
  },
);
