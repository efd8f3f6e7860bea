import { expect, setDefaultTimeout, test } from "bun:test";

import { packed } from "../../src/admin/console/packed.ts";
import { served } from "../e2e/binary.ts";
import { freePort } from "../fake/ports.ts";

setDefaultTimeout(60_000);

test("the executable has the console in it, as it is in the sources", async () => {
  const [site, admin] = [await freePort(), await freePort()];
  const config = `state: ./var
admin: { listen: "127.0.0.1:${admin}" }
web: { site: { listen: "127.0.0.1:${site}", root: "." } }
`;
  await using _tern = await served(config, [site, admin], async () => {});
  const page = await (await fetch(`http://127.0.0.1:${admin}/`)).text();
  expect(page).toBe(packed.html);
  for (const [name, gzip] of Object.entries(packed.files)) {
    const file = await fetch(`http://127.0.0.1:${admin}/console/${name}`);
    expect(await file.bytes()).toEqual(Bun.gunzipSync(Buffer.from(gzip, "base64")));
  }
});
