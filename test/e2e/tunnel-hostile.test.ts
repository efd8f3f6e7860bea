/** A tunnel whose datagrams go through the hands of an enemy, who says all that he can. Root only. */
import { expect, setDefaultTimeout, test } from "bun:test";

import { publicKeyOf } from "../../src/cli/tunnel-keys.ts";
import type { TunnelStatus } from "../../src/services/tunnel/status.ts";
import { type Appliance, until } from "./from-source.ts";
import { residentBytes } from "./process-facts.ts";
import type { Attack } from "./tunnel-attacker.ts";
import { type Lab, lab, twoEnds } from "./tunnel-lab.ts";

setDefaultTimeout(300_000);

const root = process.getuid?.() === 0;
const PROGRAM = new URL("tunnel-attacker.ts", import.meta.url).pathname;
const MB = 2 ** 20;
/** Datagrams of an enemy, after a while in which memory comes to be what it is going to be. */
const WARM = 50_000;
const MANY = 250_000;
/** Less than 200 bytes of each: whoever keeps anything of them has more. */
const MORE = 48 * MB;
/** A machine that is busy hears less in a second. */
const PATIENCE_MS = 120_000;

async function numbers({ dir }: Appliance): Promise<(name: string) => number> {
  const answer = await fetch("http://tern/metrics", { unix: `${dir}/var/tern.sock` });
  const text = await answer.text();
  return (name) => Number(new RegExp(`^tern_tunnel_${name}(?:{.*})? (\\d+)$`, "m").exec(text)?.[1]);
}

async function statusOf(tern: Appliance): Promise<TunnelStatus> {
  const { out } = await tern.verb("tunnel", "status", "--json");
  return (JSON.parse(out) as Record<string, TunnelStatus>)["warp"] as TunnelStatus;
}

/** Datagrams that came to an end and were none of its peer's words. */
async function refused(tern: Appliance): Promise<number> {
  const of = await numbers(tern);
  const names = ["unknown", "refused_handshakes", "cookies", "forged", "replayed"];
  return names.map((name) => of(`${name}_total`)).reduce((a, b) => a + b, 0);
}

/** Datagrams that are for nobody. */
async function strangers(tern: Appliance): Promise<number> {
  return (await numbers(tern))("unknown_total");
}

function attack({ far }: Lab, key: string, protocol: "tern" | "wireguard" | "3wdd") {
  const child = Bun.spawn(
    ["ip", "netns", "exec", far, process.execPath, PROGRAM, "10.50.0.1", "9000", key, protocol],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  return {
    /** It stops; what it said, each kind of which it did say. No stranger was told more than he said. */
    async end(): Promise<Attack> {
      void child.stdin.end();
      const told = JSON.parse(await new Response(child.stdout).text()) as Attack;
      for (const count of Object.values(told.said)) expect(count).toBeGreaterThan(0);
      expect(told.strangersHeard).toBeLessThanOrEqual(told.strangersSaid);
      return told;
    },
    [Symbol.dispose]: () => child.kill("SIGKILL"),
  };
}

test.if(root).each([{}, { transport: "udt" }, { wireguard: true }])(
  "whatever an enemy on the way says: %o",
  async (both) => {
    await using net = await lab();
    const ends = twoEnds({ near: both, far: { ...both, peer: "10.50.0.2:9100" } });
    await using near = await net.tern("near", { warp: ends.near });
    await net.ip("far", "address", "add", "10.50.0.3/24", "dev", "wire0");
    using enemy = attack(
      net,
      publicKeyOf(ends.near.key),
      "wireguard" in both ? "wireguard" : "tern",
    );
    await using far = await net.tern("far", { warp: ends.far });
    await far.logged("a tunnel is up");
    await near.logged("a tunnel is up");

    await until(async () => (await refused(near)) > WARM, PATIENCE_MS);
    const before = residentBytes(near.pid);
    // The honest go on meanwhile, if slowly: nobody is cut off.
    await until(async () => (await net.lost("far", "10.60.0.1", 3)) < 100, PATIENCE_MS);
    await until(async () => (await refused(near)) > WARM + MANY, PATIENCE_MS);
    await until(async () => (await net.lost("near", "10.60.0.2", 3)) < 100, PATIENCE_MS);
    // Whoever is the first to say the honest one's words is believed to be him, until he speaks himself.
    await until(async () => {
      const { state, peer } = await statusOf(near);
      return state === "up" && peer === "10.50.0.2:9100";
    }, PATIENCE_MS);
    expect((await statusOf(near)).traffic.malformed).toBe(0);
    await enemy.end();

    const of = await numbers(near);
    for (const name of ["unknown", "refused_handshakes", "cookies"])
      expect([name, of(`${name}_total`) > 0]).toEqual([name, true]);
    for (const name of ["forged", "replayed"])
      expect([name, of(`${name}_total`) > 0]).toEqual([name, true]);
    await until(() => residentBytes(near.pid) - before < MORE);
  },
);

// An old tunnel believes what has its peer's address and numbers. What has not is nothing to it, however much it is.
test.if(root)("whatever strangers say to an old 3wdd, and what is said to it twice", async () => {
  await using net = await lab();
  const old = { legacy: true, token: "ddw3~)", cipher: "aes-128-ctr" };
  const server = { ...old, listen: "10.50.0.1:9000", local: "10.60.0.1", remote: "10.60.0.2" };
  const client = { ...old, peer: "10.50.0.2:9100", local: "10.60.0.2", remote: "10.60.0.1" };
  await using near = await net.tern("near", { warp: server });
  await net.ip("far", "address", "add", "10.50.0.3/24", "dev", "wire0");
  using enemy = attack(net, "", "3wdd");
  await using far = await net.tern("far", { warp: client });
  await far.logged("a tunnel is up");
  await near.logged("a tunnel is up");
  await until(async () => (await strangers(near)) > WARM, PATIENCE_MS);
  const before = residentBytes(near.pid);
  await until(async () => (await net.lost("far", "10.60.0.1", 3)) < 100, PATIENCE_MS);
  await until(async () => (await strangers(near)) > WARM + MANY, PATIENCE_MS);
  await until(async () => (await net.lost("near", "10.60.0.2", 3)) < 100, PATIENCE_MS);
  await until(async () => (await statusOf(near)).state === "up", PATIENCE_MS);
  expect((await statusOf(near)).traffic.malformed).toBe(0);
  const told = await enemy.end();
  expect(Object.keys(told.said).sort()).toEqual([
    "greetings",
    "oversized",
    "random",
    "replayed",
    "replayed from elsewhere",
    "truncated",
  ]);
  const of = await numbers(near);
  expect([of("cookies_total") > 0, of("refused_handshakes_total")]).toEqual([true, 0]);
  await until(() => residentBytes(near.pid) - before < MORE);
});
