import { expect, setDefaultTimeout, test } from "bun:test";

import { appliance, siteIn } from "./from-source.ts";

setDefaultTimeout(60_000); // a whole program starts and ends, on a machine that may be busy

test("the API is called by the names of the config, of the one in force", async () => {
  const config = (dir: string, hosts: readonly string[]): object =>
    siteIn(dir, {}, { admin: { listen: "127.0.0.1:0", hosts } });
  await using tern = await appliance((dir) => config(dir, ["admin.example"]));
  const { admin } = await tern.status();
  const at = admin.find((address) => !address.startsWith("unix:"));
  const called = async (host: string): Promise<number> =>
    (await fetch(`http://${at}/metrics`, { headers: { Host: host } })).status;
  expect([await called("admin.example"), await called("other.example")]).toEqual([200, 421]);

  await tern.rewrite(config(tern.dir, ["other.example"]));
  expect((await tern.verb("reload")).code).toBe(0);
  expect([await called("admin.example"), await called("other.example")]).toEqual([421, 200]);
});
