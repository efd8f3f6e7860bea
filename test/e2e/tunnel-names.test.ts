/** A peer that has a name, which leads elsewhere one day. Root only. */
import { expect, setDefaultTimeout } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { temporary } from "../fake/temporary.ts";
import { asRoot } from "../sys/needs.ts";
import { until } from "./from-source.ts";
import { lab, twoEnds } from "./tunnel-lab.ts";

setDefaultTimeout(60_000);

/** A zone in which the peer is at that address. */
const zone = (serial: number, address: string): string => `$TTL 1
@ IN SOA ns.vpn.test. root.vpn.test. ${serial} 60 60 60 1
@ IN NS ns.vpn.test.
ns IN A 10.50.0.1
edge IN A ${address}
`;

/** Whom programs in a namespace ask for names, as ip-netns(8) has it. */
function asks(namespace: string, server: string): Disposable {
  const dir = join("/etc/netns", namespace);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "resolv.conf"), `nameserver ${server}\noptions timeout:1 attempts:1\n`);
  return { [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

asRoot(
  "a peer is looked for again where its name says, and one that has none yet, too",
  async () => {
    await using net = await lab();
    using _ = asks(net.far, "10.50.0.1");
    await using dir = await temporary();
    const file = join(dir.path, "vpn.test.zone");
    const ends = twoEnds({
      near: { listen: ":9000" },
      far: { peer: "edge.vpn.test:9000", resolve: "1s" },
    });
    // The name server is there later than whoever asks it.
    await using far = await net.tern("far", { warp: ends.far });
    await far.logged("a peer's name is unknown");
    writeFileSync(file, zone(1, "10.50.0.3"));
    const dns = { ns: { listen: ["10.50.0.1:53"], zones: { "vpn.test": { file } } } };
    await net.ip("near", "address", "add", "10.50.0.3/24", "dev", "wire0");
    await using near = await net.tern("near", { warp: ends.near }, { dns });
    await far.logged("a tunnel is up");
    expect((await far.verb("tunnel", "status")).out).toContain("10.50.0.3:9000");

    writeFileSync(file, zone(2, "10.50.0.4"));
    expect((await near.verb("reload")).code).toBe(0);
    await net.ip("near", "address", "add", "10.50.0.4/24", "dev", "wire0");
    await net.ip("near", "address", "del", "10.50.0.3/24", "dev", "wire0");
    await far.logged("a tunnel is down: nothing is heard of the peer");
    await far.logged("a tunnel is up", 2);
    expect((await far.verb("tunnel", "status")).out).toContain("10.50.0.4:9000");
    await until(async () => (await net.lost("far", "10.60.0.1", 1)) === 0, 5000);
  },
);
