import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { lifetimes, wishedEnd } from "../../../src/services/store/expiry.ts";
import { served } from "./dav/served.ts";
import { DAY_MS, done, repairOf } from "./repair/rig.ts";
import { rig } from "./rig.ts";

const NOW = 1_700_000_000_000;

test.each([
  { story: "nothing", fields: {}, end: undefined },
  { story: "in a minute", fields: { "X-Delete-After": "60" }, end: NOW + 60_000 },
  { story: "at a time", fields: { "X-Delete-At": "1700000001" }, end: NOW + 1000 },
  {
    story: "both: what is from now",
    fields: { "X-Delete-After": "60", "X-Delete-At": "1700000001" },
    end: NOW + 60_000,
  },
  { story: "at once", fields: { "X-Delete-After": "0" }, end: "unreadable" },
  { story: "before now", fields: { "X-Delete-At": "1600000000" }, end: "unreadable" },
  { story: "words", fields: { "X-Delete-After": "an hour" }, end: "unreadable" },
  { story: "less than nothing", fields: { "X-Delete-After": "-5" }, end: "unreadable" },
  { story: "for ever", fields: { "X-Delete-After": "999999999999999" }, end: "unreadable" },
])("a client says when it is to be gone: $story", ({ fields, end }) => {
  expect(wishedEnd(new Headers(fields as Record<string, string>), NOW)).toBe(end as never);
});

test.each([
  { path: "/a", stays: undefined },
  { path: "/tmp", stays: undefined },
  { path: "/tmp/a", stays: 5 },
  { path: "/tmp/long/a", stays: 50 },
])("how long $path stays", ({ path, stays }) => {
  expect(lifetimes({ "/tmp/": 5, "/tmp/long/": 50 })(path)).toBe(stays);
});

test("when its time is over a file is gone, and something else may take its name", async () => {
  await using it = await rig();
  const end = Date.now() + DAY_MS;
  expect(await it.put("/a", "one", end)).toBe("kept");
  expect(await it.put("/b", "stays")).toBe("kept");
  expect(String(await it.get("/a"))).toBe("one");
  it.time.wall = DAY_MS + 1;
  expect(await it.get("/a")).toBe("deleted");
  expect(String(await it.get("/b"))).toBe("stays");
  expect(await it.put("/a", "two")).toBe("kept");
  expect(String(await it.get("/a"))).toBe("two");
});

test("its copies are removed in time, and nothing that was written since", async () => {
  await using it = await rig();
  const end = Date.now() + DAY_MS;
  for (const path of ["/a", "/b", "/c"]) expect(await it.put(path, "x", end)).toBe("kept");
  const repair = repairOf(it);
  await done(repair, { kind: "fsck" });
  const there = (path: string): boolean[] =>
    it.members.map(({ where }) => existsSync(join(where, "_3fs_0", path)));
  expect(there("/a")).toEqual([true, true, true]);
  it.time.wall = DAY_MS + 1;
  expect(await it.put("/b", "new")).toBe("kept");
  const [away] = it.members;
  if (away) away.fault = "away";
  await done(repair, { kind: "fsck" });
  if (away) away.fault = undefined;
  await it.mend();
  expect(there("/a")).toEqual([false, false, false]);
  expect(String(await it.get("/b"))).toBe("new");
  expect((await done(repair, { kind: "fsck" })).tally).toMatchObject({ lacking: 0, lost: 0 });
});

test.each([{ webdav: true }, { webdav: false }])("over HTTP, WebDAV $webdav", async (keys) => {
  await using site = await served({ ...keys, ttl: { "/tmp/": "7d", "/_tern.": "1s" } });
  const put = async (path: string, headers: Record<string, string> = {}): Promise<string> => {
    const { status } = await fetch(site.url + path, { method: "PUT", body: "x", headers });
    const got = await fetch(site.url + path);
    await got.text();
    return `${status} ${got.headers.get("x-delete-at") ?? "stays"}`;
  };
  const soon = Math.floor(Date.now() / 1000);
  const of = (told: string): number => Number(told.split(" ")[1]) - soon;
  expect(await put("/a")).toBe("201 stays");
  expect(of(await put("/b", { "X-Delete-After": "60" }))).toBeWithin(60, 70);
  expect(await put("/c", { "X-Delete-At": String(soon + 90) })).toBe(`201 ${soon + 90}`);
  expect(await put("/d", { "X-Delete-At": "5" })).toStartWith("400");
  if (keys.webdav) await fetch(`${site.url}/tmp`, { method: "MKCOL" });
  expect(of(await put("/tmp/a"))).toBeWithin(7 * 86_400, 7 * 86_400 + 10);
  expect(of(await put("/tmp/b", { "X-Delete-After": "60" }))).toBeWithin(60, 70);
});
