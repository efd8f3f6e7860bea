import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import * as v from "valibot";

import { webSchema } from "../../../../src/services/web/config.ts";
import { web } from "../../../../src/services/web/web.ts";
import { settled } from "../../../../src/wire/http/message.ts";
import { fakeHost } from "../../../fake/host.ts";
import { temporary } from "../../../fake/temporary.ts";
import { read, request, type Visit } from "../visit.ts";

const LOCK_INFO =
  '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>' +
  "<D:locktype><D:write/></D:locktype></D:lockinfo>";
const PATCH =
  '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><p xmlns="u">1</p></D:prop></D:set></D:propertyupdate>';

test("sites that share files respect each other's locks, and show the same properties", async () => {
  await using www = await temporary();
  mkdirSync(join(www.path, "team"));
  writeFileSync(join(www.path, "team/plan.txt"), "one");
  using host = fakeHost();
  const webdav = { enabled: true, writers: ["127.0.0.1"] };
  const sites = {
    all: { root: www.path, listen: ":1", webdav },
    "dav.sqlite": { root: join(www.path, "team"), listen: ":2", webdav }, // a name like a file of ours
  };
  const instance = await web.prepare(v.parse(webSchema, sites), host);
  const ask = async (site: number, target: string, visit: Visit, body?: string) => {
    const bytes = new TextEncoder().encode(body);
    const sent = body === undefined ? undefined : new Response(bytes).body;
    const one = { ...request(target, visit), body: sent ?? undefined, contentLength: bytes.length };
    const handler = host.http.sites[site]?.handler;
    if (!handler) throw new Error(`there is no site ${site}`);
    return read(await settled(handler(one)));
  };

  const locked = await ask(0, "/team/plan.txt", { method: "LOCK" }, LOCK_INFO);
  const token = locked.headers.get("lock-token") ?? "";
  expect((await ask(1, "/plan.txt", { method: "PUT" }, "two")).status).toBe(423);
  const headers = { If: `(${token})` };
  expect((await ask(1, "/plan.txt", { method: "PUT", headers }, "two")).status).toBe(204);
  expect((await ask(1, "/plan.txt", { method: "PROPPATCH", headers }, PATCH)).status).toBe(207);
  const shown = await ask(0, "/team/plan.txt", { method: "PROPFIND", headers: { Depth: "0" } });
  expect(shown.text).toMatch(/<p xmlns="u"[^>]*>1<\/p>/);
  await instance.stop(AbortSignal.abort());
});
