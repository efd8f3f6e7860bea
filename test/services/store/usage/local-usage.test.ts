import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { Secret } from "../../../../src/config/scalars.ts";
import { S3Client } from "../../../../src/services/store/s3/client.ts";
import { LocalUsage } from "../../../../src/services/store/usage/local-usage.ts";
import { temporary } from "../../../fake/temporary.ts";
import { served } from "../dav/served.ts";
import { done, repairOf } from "../repair/rig.ts";
import { type Rig, rig } from "../rig.ts";

/** What is known to be stored below `prefix`. */
function known({ shelf }: Rig, prefix: string): string {
  const { bytes = 0, files = 0 } = shelf.common.usage?.of(prefix) ?? {};
  return `${files} files of ${bytes}`;
}

test("what is written, replaced and deleted is counted", async () => {
  await using it = await rig({ quotas: { "/kim/": 1000 } });
  expect(await it.put("/kim/a", new Uint8Array(300))).toBe("kept");
  expect(await it.put("/b", new Uint8Array(50))).toBe("kept");
  expect([known(it, "/"), known(it, "/kim/")]).toEqual(["2 files of 350", "1 files of 300"]);
  expect(await it.put("/kim/a", new Uint8Array(100))).toBe("kept");
  expect([known(it, "/"), known(it, "/kim/")]).toEqual(["2 files of 150", "1 files of 100"]);
  expect(await it.remove("/b")).toBe("kept");
  expect([known(it, "/"), known(it, "/kim/")]).toEqual(["1 files of 100", "1 files of 100"]);
});

test.each([
  { story: "as much as there is room for", path: "/kim/b", size: 400, written: "kept" },
  { story: "more", path: "/kim/b", size: 401, written: "quota" },
  { story: "more, elsewhere", path: "/b", size: 401, written: "kept" },
  { story: "more than the outer one has room for", path: "/kim/in/b", size: 401, written: "quota" },
  { story: "more than the inner one has room for", path: "/kim/in/b", size: 51, written: "quota" },
])("a quota of 1000 with 600 in it: $story", async ({ path, size, written }) => {
  await using it = await rig({ quotas: { "/kim/": 1000, "/kim/in/": 50 } });
  expect(await it.put("/kim/a", new Uint8Array(600))).toBe("kept");
  expect(await it.put(path, new Uint8Array(size))).toBe(written);
});

test("where a quota is used up all but writing goes on", async () => {
  await using it = await rig({ quotas: { "/kim/": 1000 } });
  expect(await it.put("/kim/a", new Uint8Array(1000))).toBe("kept");
  expect(await it.put("/kim/b", "")).toBe("quota");
  expect(await it.get("/kim/a")).toHaveLength(1000);
  expect(await it.remove("/kim/a")).toBe("kept");
  expect(await it.put("/kim/b", "x")).toBe("kept");
});

test("who begins with files counts them by looking at all partitions, and what others do meanwhile", async () => {
  const first = await rig();
  for (let i = 0; i < 5; i++)
    expect(await first.put(`/kim/${i}`, new Uint8Array(100))).toBe("kept");
  await using it = await first.again({ quotas: { "/kim/": 1000 } });
  expect(known(it, "/kim/")).toBe("0 files of 0");
  await done(repairOf(it), { kind: "rebalance" });
  expect(known(it, "/kim/")).toBe("5 files of 500");
  await using other = await it.beside();
  expect(await other.put("/kim/0", new Uint8Array(300))).toBe("kept");
  expect(await other.put("/c", new Uint8Array(300))).toBe("kept");
  await Bun.sleep(5); // the clock goes on
  await done(repairOf(it), { kind: "rebalance" });
  expect([known(it, "/"), known(it, "/kim/")]).toEqual(["6 files of 1000", "5 files of 700"]);
});

test("processes tell one another, and a restart knows", async () => {
  await using dir = await temporary();
  let now = 0;
  const make = (): LocalUsage => new LocalUsage(dir.path, { "/a/": 1000 }, () => now);
  const [one, two] = [make(), make()];
  const record = `/_3fs_0.records/3a7/3a7${"0".repeat(61)}`;
  one.changed(0, record, "/a/x", { bytes: 600, files: 1 }, 9);
  expect(one.room("/a/y")).toBe(400);
  while (two.room("/a/y") !== 400) {
    now += 1000;
    await Bun.sleep(20);
  }
  two.changed(0, record, "/a/y", { bytes: 700, files: 1 }, 10);
  expect(two.room("/a/z")).toBe(0);
  expect(two.room("/b")).toBe(Infinity);
  one.close();
  two.close();
  const three = make();
  expect(three.figures).toEqual({
    "/": { bytes: 1300, files: 2 },
    "/a/": { bytes: 1300, files: 2, quota_bytes: 1000 },
  });
  expect(three.isCounted(0, 0x3a7)).toBe(false);
  three.count(0, 0x3a7, [{ path: "/a/x", size: 600 }], 20);
  expect(three.isCounted(0, 0x3a7)).toBe(true);
  expect(three.isCounted(1, 0x3a7)).toBe(false);
  three.close();
});

test.each([
  { story: "before it is told: it is in there", changed: 9, told: 600 },
  { story: "while it changes: it is counted again", changed: 11, told: 1200 },
])("a partition is counted $story", async ({ changed, told }) => {
  await using dir = await temporary();
  const usage = new LocalUsage(dir.path, {}, () => 0);
  const record = `/_3fs_0.records/3a7/3a7${"0".repeat(61)}`;
  usage.changed(0, record, "/a/x", { bytes: 600, files: 1 }, changed);
  usage.count(0, 0x3a7, [{ path: "/a/x", size: 600 }], 10);
  usage.close();
  const next = new LocalUsage(dir.path, {}, () => 0);
  expect(next.of("/").bytes).toBe(told);
  expect(next.isCounted(0, 0x3a7)).toBe(told === 600);
  next.close();
});

test("while somebody else writes nobody waits, and what was to be told is told later", async () => {
  await using dir = await temporary();
  const make = (): LocalUsage => new LocalUsage(dir.path, { "/a/": 1000 }, () => performance.now());
  const [one, two] = [make(), make()];
  const busy = new Database(join(dir.path, "usage.sqlite"));
  busy.run("BEGIN IMMEDIATE");
  one.changed(0, `/_3fs_0.records/3a7/3a7${"0".repeat(61)}`, "/a/x", { bytes: 600, files: 1 }, 9);
  one.count(0, 5, [{ path: "/a/y", size: 1 }], 0);
  expect(one.isCounted(0, 5)).toBe(false);
  await Bun.sleep(700); // it has tried
  expect(one.room("/a/z")).toBe(400);
  expect(two.room("/a/z")).toBe(1000);
  busy.run("COMMIT");
  busy.close();
  while (two.room("/a/z") !== 400) await Bun.sleep(50);
  one.close();
  two.close();
});

test("with other quotas all is counted anew", async () => {
  await using dir = await temporary();
  const one = new LocalUsage(dir.path, {}, () => 0);
  one.count(0, 5, [{ path: "/a/x", size: 600 }], 20);
  one.close();
  const two = new LocalUsage(dir.path, { "/a/": 1 }, () => 0);
  expect(two.isCounted(0, 5)).toBe(false);
  expect(two.of("/").bytes).toBe(600);
  two.close();
});

test("a damaged count is begun anew", async () => {
  await using dir = await temporary();
  writeFileSync(join(dir.path, "usage.sqlite"), "no database at all".repeat(100));
  const usage = new LocalUsage(dir.path, {}, () => 0);
  expect(usage.of("/")).toEqual({ bytes: 0, files: 0 });
  usage.close();
});

test("what clients hear", async () => {
  const users = { AK: { secret: "secret", access: "full", prefix: "/" } };
  await using site = await served({ quotas: { "/kim/": 10 }, s3: { users } });
  await fetch(`${site.url}/kim`, { method: "MKCOL" });
  const put = (size: number) =>
    fetch(`${site.url}/kim/a`, { method: "PUT", body: new Uint8Array(size) });
  const refused = await put(11);
  expect(refused.status).toBe(507);
  expect(await refused.text()).toContain("quota");
  expect((await put(10)).status).toBe(201);
  const s3 = new S3Client({
    kind: "s3",
    url: `${site.url}/kim`,
    region: "us-east-1",
    accessKey: "AK",
    secretKey: new Secret("secret"),
  });
  const answer = await s3.ask("PUT", "/kim/b", { body: new Uint8Array(1) });
  expect([answer.status, await answer.text()]).toEqual([
    403,
    expect.stringContaining("QuotaExceeded"),
  ]);
  expect((await fetch(`${site.url}/kim/a`, { method: "DELETE" })).status).toBe(204);
  expect((await put(3)).status).toBe(201);
});
