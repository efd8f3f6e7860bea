/** Three appliances that see different things, and answer the same. */
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { freePort } from "../fake/ports.ts";
import { realRedis, REDIS } from "../fake/redis.ts";
import { temporary } from "../fake/temporary.ts";
import { type Appliance, appliance, siteIn, until } from "./from-source.ts";

const PASSWORD = "sesame-street";

/** What it answers for `x.test`, as dig prints it. */
async function answer(port: number): Promise<string> {
  const dig = ["dig", "@127.0.0.1", "-p", `${port}`, "x.test", "+short", "+tries=1", "+time=1"];
  const child = Bun.spawn(dig, { stdio: ["ignore", "pipe", "ignore"] });
  return (await new Response(child.stdout).text()).trim().replaceAll("\n", " ");
}

/** A tern whose probe of 192.0.2.1 fails as long as there is a file. */
async function node(name: string, workers: number, redis: string, dir: string) {
  const [bin, blind] = [join(dir, name), join(dir, `${name}.blind`)];
  mkdirSync(bin);
  // The same words of a check on all of them: it is the machine that differs.
  writeFileSync(
    join(bin, "look"),
    `#!/bin/sh\nif [ $TERN_HOST = 192.0.2.1 ] && [ -e ${blind} ]; then echo "no route" >&2; exit 1; fi\n`,
  );
  chmodSync(join(bin, "look"), 0o755);
  const port = await freePort();
  const check = {
    kind: "exec",
    command: ["look"],
    interval: "100ms",
    timeout: "2s",
    rise: 1,
    fall: 1,
  };
  const tern: Appliance = await appliance(
    (own) =>
      siteIn(
        own,
        {},
        {
          workers,
          cluster: { redis, node: name },
          dns: {
            ns: {
              listen: `127.0.0.1:${port}`,
              names: {
                "x.test": { tiers: [["192.0.2.1", "192.0.2.2"]], order: "fixed", check },
              },
            },
          },
        },
      ),
    { env: { PATH: `${bin}:${process.env["PATH"]}` } },
  );
  return {
    tern,
    answers: () => answer(port),
    blinded: () => writeFileSync(blind, ""),
    sees: () => rmSync(blind),
  };
}

test.skipIf(REDIS === null)(
  "what one of three sees down is given by all; what two see down is given by none",
  async () => {
    await using redis = await realRedis([], PASSWORD);
    await using dir = await temporary();
    const nodes = [
      await node("one", 1, redis.url, dir.path),
      await node("two", 2, redis.url, dir.path),
      await node("three", 1, redis.url, dir.path),
    ] as const;
    const all = async () => [...new Set(await Promise.all(nodes.map(({ answers }) => answers())))];
    try {
      const [one, two, three] = nodes;
      await until(async () => {
        const status = await Promise.all(nodes.map(({ tern }) => tern.status()));
        return status.every(({ cluster }) => cluster?.nodes.length === 2);
      });
      expect(await all()).toEqual(["192.0.2.1 192.0.2.2"]);

      one.blinded();
      await until(async () => (await one.tern.status()).cluster?.overruled === 1);
      expect(await all()).toEqual(["192.0.2.1 192.0.2.2"]);

      two.blinded();
      await until(async () => (await all()).join("|") === "192.0.2.2");
      await three.tern.logged("the votes say a server is down");
      const status = await three.tern.verb("status");
      expect(status.out).toContain("node   three votes with one, two, 1 overruled");
      const names = await three.tern.verb("dns", "status");
      expect(names.out).toContain("2 of 3 nodes: exit code 1: no route");

      await redis.kill();
      await until(async () => (await three.answers()) === "192.0.2.1 192.0.2.2");
      expect(await one.answers()).toBe("192.0.2.2");
      expect((await three.tern.verb("status")).out).toContain("node   three goes by its own view");
      await redis.again();
      await until(async () => (await all()).join("|") === "192.0.2.2");

      one.sees();
      await until(async () => (await all()).join("|") === "192.0.2.1 192.0.2.2");
      for (const { tern } of nodes) expect(JSON.stringify(tern.lines)).not.toContain(PASSWORD);
    } finally {
      for (const { tern } of nodes) await tern[Symbol.asyncDispose]();
    }
  },
  60_000,
);
