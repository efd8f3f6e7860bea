/** A network that loses what it is given: a store in a namespace of its own, with packets dropped. */
import { afterAll, expect, setDefaultTimeout } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { temporary } from "../fake/temporary.ts";
import { needs } from "../sys/needs.ts";
import { said } from "./binary.ts";
import { appliance, TERN } from "./from-source.ts";
import { equal } from "./store-cluster.ts";
import { fileServer } from "./store-servers.ts";

setDefaultTimeout(60_000);

const NAME = `tern-store-${process.pid}`;
const INSIDE = ["ip", "netns", "exec", NAME];
const withPackets = needs(
  process.getuid?.() === 0 && Bun.which("nft") !== null && Bun.which("curl") !== null,
  "root and nft (apt-get install nftables)",
);

afterAll(() => void Bun.spawnSync(["ip", "netns", "del", NAME]));

/** Throws with what it complains of. */
async function inside(...command: string[]): Promise<string> {
  const { code, out, err } = await said([...INSIDE, ...command]);
  if (code !== 0) throw new Error(`${command.join(" ")}: ${out}${err}`);
  return out;
}

withPackets("packets to a member are dropped, in the middle of everything", async () => {
  await said(["ip", "netns", "add", NAME]);
  await inside("ip", "link", "set", "lo", "up");
  await inside(
    "nft",
    "add table inet t; add chain inet t in { type filter hook input priority 0; }",
  );
  await using dir = await temporary();
  await using lost = await fileServer("nginx", dir.path, "s0", INSIDE);
  await using other = await fileServer("nginx", dir.path, "s1", INSIDE);
  const disk = join(dir.path, "disk");
  mkdirSync(disk);
  const members = [
    { id: "s0", webdav: lost.url },
    { id: "s1", webdav: other.url },
    { id: "disk", dir: disk },
  ];
  const stages = { 0: { redundancy: 3, write_quorum: 2, members } };
  const files = { listen: "127.0.0.1:0", free_floor: "0%", stages };
  const config = { workers: 1, admin: { listen: [] }, store: { files } };
  await using tern = await appliance((own) => ({ ...config, state: join(own, "var") }), {
    command: [...INSIDE, ...TERN],
  });
  const url = `http://127.0.0.1:${tern.port}`;
  const sent = join(dir.path, "sent");
  await Bun.write(sent, Buffer.alloc(3 * 2 ** 20, "all of it."));
  const put = (name: string, ...more: string[]) =>
    inside("curl", "-s", "-m", "40", "-w", "%{http_code}", ...more, "-T", sent, `${url}/${name}`);
  const isRight = async (name: string): Promise<void> => {
    const got = join(dir.path, "got");
    await inside("curl", "-sf", "-m", "40", "-o", got, `${url}/${name}`);
    expect(await Bun.file(got).bytes()).toEqual(await Bun.file(sent).bytes());
  };
  const drop = `add rule inet t in tcp dport ${lost.port} drop`;

  expect(await put("before")).toBe("201");
  // Half a second into a body that takes one and a half.
  const half = put("half", "--limit-rate", "2M");
  await Bun.sleep(500);
  await inside("nft", drop);
  expect(await half).toBe("201");
  const began = performance.now();
  for (const name of ["a", "b", "c", "d"]) {
    expect(await put(name)).toBe("201");
    await isRight(name);
    await isRight("before");
  }
  // It is known to be away: nobody waits for it each time.
  expect(performance.now() - began).toBeLessThan(20_000);
  await inside("curl", "-sf", "-m", "40", "-X", "DELETE", `${url}/before`);
  await inside("nft", "flush", "chain", "inet", "t", "in");
  await equal({ roots: [lost.root, other.root, disk] });
  expect(await inside("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", `${url}/before`)).toBe(
    "404",
  );
  await isRight("half");
});
