/** Tunnels that speak 3wdd's protocol, between two terns and with a peer of the test's own. Root only. */
import { expect, setDefaultTimeout, test } from "bun:test";

import type { TunnelStatus } from "../../src/services/tunnel/status.ts";
import { LEGACY_WARNING } from "../../src/services/tunnel/warning.ts";
import { CIPHERS } from "../../src/wire/3wdd/ciphers.ts";
import { type Appliance, TERN, until } from "./from-source.ts";
import { iperf, type Lab, lab } from "./tunnel-lab.ts";

setDefaultTimeout(60_000);

const root = process.getuid?.() === 0;
const TOKEN = "ddw3~)";

async function statusOf(tern: Appliance): Promise<TunnelStatus> {
  const { out } = await tern.verb("tunnel", "status", "--json");
  return (JSON.parse(out) as { warp: TunnelStatus }).warp;
}

function ends(changes: object = {}) {
  const both = { legacy: true, token: TOKEN, cipher: "aes-128-ecb", ...changes };
  return {
    near: { ...both, listen: "10.50.0.1:9000", local: "10.60.0.1", remote: "10.60.0.2" },
    far: { ...both, peer: "10.50.0.1:9000", local: "10.60.0.2", remote: "10.60.0.1" },
  };
}

async function pair(net: Lab, changes: object = {}) {
  const { near, far } = ends(changes);
  const server = await net.tern("near", { warp: near });
  const client = await net.tern("far", { warp: far });
  await client.logged("a tunnel is up");
  await server.logged("a tunnel is up");
  return { server, client };
}

test
  .if(root)
  .each([
    ...CIPHERS.map((cipher) => ({ cipher, compress: "off" })),
    { cipher: "aes-128-cbc", compress: "zlib" },
    { cipher: "blowfish-ctr", compress: "lzo" },
  ])("$cipher, compressed: $compress", async ({ cipher, compress }) => {
  await using net = await lab();
  const { server, client } = await pair(net, { cipher, compress });
  await using _ = server;
  await using __ = client;
  expect(await net.lost("far", "10.60.0.1", 3)).toBe(0);
  expect(await net.lost("near", "10.60.0.2", 3)).toBe(0);
  for (const way of [[], ["-R"]])
    expect((await iperf(net, "10.60.0.1", ...way)).bitsPerSecond).toBeGreaterThan(2e5);
  const status = await statusOf(client);
  expect(status).toMatchObject({ state: "up", protocol: "3wdd", cipher });
  expect(status.warning).toContain("protects nobody");
  expect(status.traffic).toMatchObject({ malformed: 0, refused: 0 });
  await client.logged(LEGACY_WARNING);
});

test.if(root)("a client that was written by the description alone", async () => {
  await using net = await lab();
  await using server = await net.tern("near", { warp: ends().near });
  await server.logged("a tunnel is ready");
  const program = [TERN[0] ?? "", `${import.meta.dir}/old-3wdd.ts`];
  const old = net.run("far", ...program, "10.50.0.1", "9000", "warp", TOKEN);
  await server.logged("a tunnel is up");
  expect(await net.lost("near", "10.60.0.2", 1)).toBe(0);
  const { out, err } = await old;
  expect(err).toBe("");
  expect(JSON.parse(out)).toEqual({ own: "10.50.0.2", verdict: 0 });
  // Another token is not let in, and is not answered.
  const other = await net.run("far", ...program, "10.50.0.1", "9000", "warp", "guess");
  expect(other.code).not.toBe(0);
  // Both shook hands, with a cookie first; so who is nobody can be seen.
  const metrics = await fetch("http://tern/metrics", { unix: `${server.dir}/var/tern.sock` });
  const told = [
    ...(await metrics.text()).matchAll(/^tern_tunnel_(\w+_total){listener=.* (\d+)$/gm),
  ];
  const counts = Object.fromEntries(told.map(([, name, count]) => [name, Number(count)]));
  expect(counts).toMatchObject({ refused_handshakes_total: 1 });
  expect(counts["cookies_total"]).toBeGreaterThanOrEqual(2);
});

test.if(root)(
  "a server that was killed is called again; a reload keeps the conversation",
  async () => {
    await using net = await lab();
    const { near, far } = ends();
    await using client = await net.tern("far", { warp: far });
    {
      await using server = await net.tern("near", { warp: near });
      await client.logged("a tunnel is up");
      const before = await statusOf(client);
      await client.verb("reload");
      expect((await statusOf(client)).handshakeAt).toBe(before.handshakeAt);
      process.kill(server.pid, "SIGKILL");
    }
    await until(async () => (await statusOf(client)).state === "down", 15_000);
    await using server = await net.tern("near", { warp: near });
    await server.logged("a tunnel is up");
    expect(await net.lost("far", "10.60.0.1", 3)).toBe(0);
  },
);
