/** Debian's wireguard-go at the other end. Root only. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { temporary } from "../fake/temporary.ts";
import { said } from "./binary.ts";
import { TERN, until } from "./from-source.ts";
import { iperf, keyPair, type Lab, lab } from "./tunnel-lab.ts";

setDefaultTimeout(60_000);

const able = process.getuid?.() === 0 && Bun.which("wireguard-go") !== null;

/** A wireguard-go in the near namespace, set up by `wg setconf`. */
async function wireguard(net: Lab, conf: string): Promise<void> {
  // Its control socket is called as the device is.
  const name = `ttwg${process.pid % 10_000}`;
  net.spawn(
    "near",
    "env",
    "WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1",
    "wireguard-go",
    "-f",
    name,
  );
  await until(async () => (await net.run("near", "wg", "show", name)).code === 0, 10_000);
  await using dir = await temporary();
  const file = join(dir.path, "wg.conf");
  writeFileSync(file, conf);
  const { err } = await net.run("near", "wg", "setconf", name, file);
  expect(err).toBe("");
  await net.ip("near", "address", "add", "10.60.0.1/24", "dev", name);
  await net.ip("near", "address", "add", "fd60::1/64", "dev", name, "nodad");
  await net.ip("near", "link", "set", name, "mtu", "1420", "up");
}

test.if(able).each([
  { story: "we call, with a preshared key", weCall: true, psk: true },
  { story: "it calls", weCall: false, psk: false },
])("$story", async ({ weCall, psk }) => {
  await using net = await lab();
  const [a, b, secret] = [keyPair(), keyPair(), keyPair().key];
  await using tern = await net.tern("far", {
    wg: {
      wireguard: true,
      ...(weCall ? { peer: "10.50.0.1:51820" } : { listen: ":51820" }),
      local: ["10.60.0.2/24", "fd60::2/64"],
      allow: ["10.60.0.0/24", "fd60::/64"],
      mtu: 1420,
      key: b.key,
      peer_key: a.pub,
      ...(psk && { token: secret }),
    },
  });
  await wireguard(
    net,
    `[Interface]\nPrivateKey = ${a.key}\nListenPort = 51820\n[Peer]\nPublicKey = ${b.pub}\nAllowedIPs = 10.60.0.2/32, fd60::2/128\n${psk ? `PresharedKey = ${secret}\n` : ""}${weCall ? "" : "Endpoint = 10.50.0.2:51820\n"}`,
  );
  const [from, to4, to6] = weCall
    ? (["far", "10.60.0.1", "fd60::1"] as const)
    : (["near", "10.60.0.2", "fd60::2"] as const);
  // Who calls may call again only after five seconds.
  await until(async () => (await net.lost(from, to4, 1)) === 0, 20_000);
  expect(await net.lost(from, to4)).toBe(0);
  expect(await net.lost(from, to6)).toBe(0);
  expect(
    await net.lost(from === "far" ? "near" : "far", from === "far" ? "10.60.0.2" : "10.60.0.1"),
  ).toBe(0);
  for (const way of [[], ["-R"]])
    expect((await iperf(net, "10.60.0.1", ...way)).bitsPerSecond).toBeGreaterThan(20e6);
  expect((await iperf(net, "fd60::1")).bitsPerSecond).toBeGreaterThan(20e6);
  const status = JSON.parse((await tern.verb("tunnel", "status", "--json")).out) as object;
  expect(status).toMatchObject({
    wg: { state: "up", protocol: "wireguard", traffic: { forged: 0, malformed: 0, refused: 0 } },
  });
});

test.if(able)("a wg0.conf becomes a tunnel, and a tunnel a wg0.conf that wg takes", async () => {
  await using net = await lab();
  await using dir = await temporary();
  const [a, b] = [keyPair(), keyPair()];
  const file = join(dir.path, "wg0.conf");
  writeFileSync(
    file,
    `[Interface]\nPrivateKey = ${b.key}\nAddress = 10.60.0.2/24, fd60::2/64\nDNS = 10.60.0.1\n\n[Peer]\nPublicKey = ${a.pub}\nAllowedIPs = 10.60.0.0/24, fd60::/64\nEndpoint = 10.50.0.1:51820\nPersistentKeepalive = 5\n`,
  );
  const imported = await said([...TERN, "tunnel", "import", file]);
  expect(imported.code).toBe(0);
  expect(imported.err).toContain("DNS has nothing that stands for it");
  const { tunnel } = Bun.YAML.parse(imported.out) as { tunnel: object };
  await using tern = await net.tern("far", tunnel);
  await wireguard(
    net,
    `[Interface]\nPrivateKey = ${a.key}\nListenPort = 51820\n[Peer]\nPublicKey = ${b.pub}\nAllowedIPs = 10.60.0.2/32, fd60::2/128\n`,
  );
  // Its keepalives call without any packet of ours.
  await tern.logged("a tunnel is up");
  expect(await net.lost("near", "10.60.0.2")).toBe(0);

  const exported = await tern.verb("tunnel", "export", "wg0");
  expect(exported.out.trim().split("\n")).toEqual([
    "[Interface]",
    `PrivateKey = ${b.key}`,
    "Address = 10.60.0.2/24, fd60::2/64",
    "MTU = 1420",
    "",
    "[Peer]",
    `PublicKey = ${a.pub}`,
    "AllowedIPs = 10.60.0.0/24, fd60::/64",
    "Endpoint = 10.50.0.1:51820",
    "PersistentKeepalive = 5",
  ]);
});
