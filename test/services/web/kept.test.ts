import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import * as v from "valibot";

import { webSchema } from "../../../src/services/web/config.ts";
import { web } from "../../../src/services/web/web.ts";
import { fakeHost } from "../../fake/host.ts";
import { temporary } from "../../fake/temporary.ts";

test("what was kept of sites that are no more goes when the others start", async () => {
  await using www = await temporary();
  using host = fakeHost();
  const encoded = join(host.state, "web/encoded");
  const begin = async (names: readonly string[], worker = host.worker): Promise<void> => {
    const sites = Object.fromEntries(names.map((name) => [name, { root: www.path }]));
    const instance = await web.prepare(v.parse(webSchema, sites), { ...host, worker });
    instance.start();
    await instance.stop(AbortSignal.abort());
  };
  await begin(["a", "..", "b/c"]);
  expect(readdirSync(encoded).toSorted()).toEqual(["site-..", "site-a", "site-b%2Fc"]);
  writeFileSync(join(encoded, "site-a", "kept"), "bytes");
  mkdirSync(join(encoded, "gone-by-a-crash"));

  await begin(["b/c"], { index: 1, count: 2 });
  expect(existsSync(join(encoded, "site-a"))).toBe(true); // one worker is enough
  await begin(["b/c"]);
  expect(readdirSync(encoded).filter((name) => !name.startsWith("gone-"))).toEqual(["site-b%2Fc"]);
  for (let i = 0; i < 100 && readdirSync(encoded).length > 1; i++) await Bun.sleep(10);
  expect(readdirSync(encoded)).toEqual(["site-b%2Fc"]);
});
