import { expect, test } from "bun:test";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { digestOf, KeptZone } from "../../../../src/services/dns/secondary/kept-zone.ts";
import { temporary } from "../../../fake/temporary.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const noteOf = (packed: Uint8Array) => ({
  checkedAt: 1,
  takenAt: 1,
  primary: "192.0.2.1:53",
  digest: digestOf(packed),
});

test("what is kept is read by another process; only the last version stays", async () => {
  await using dir = await temporary();
  const kept = new KeptZone(join(dir.path, "made"), "example.net");
  expect(await kept.readNote()).toBeUndefined();
  for (const text of ["one", "two"]) await kept.keep(bytes(text), noteOf(bytes(text)));
  const other = new KeptZone(join(dir.path, "made"), "example.net");
  const note = await other.readNote();
  expect(note).toEqual(noteOf(bytes("two")));
  expect(await other.readRecords(note?.digest ?? "")).toEqual(bytes("two"));
  expect((await readdir(join(dir.path, "made"))).length).toBe(2);
});

test("records without a note are of a crash: the version before is the zone, and they go", async () => {
  await using dir = await temporary();
  const kept = new KeptZone(dir.path, "example.net");
  await kept.keep(bytes("one"), noteOf(bytes("one")));
  await writeFile(join(dir.path, `example.net.${digestOf(bytes("two"))}.records`), "two");
  expect((await kept.readNote())?.digest).toBe(digestOf(bytes("one")));
  await kept.keep(bytes("three"), noteOf(bytes("three")));
  expect((await readdir(dir.path)).length).toBe(2);
});

test.each([
  { story: "no JSON", note: "{" },
  { story: "another's JSON", note: '{"serial":1}' },
  { story: "empty", note: "" },
])("a note that is $story is none", async ({ note }) => {
  await using dir = await temporary();
  await writeFile(join(dir.path, "example.net.json"), note);
  expect(await new KeptZone(dir.path, "example.net").readNote()).toBeUndefined();
});

test("records that have changed on disk are not taken", async () => {
  await using dir = await temporary();
  const digest = digestOf(bytes("one"));
  await writeFile(join(dir.path, `example.net.${digest}.records`), "0ne");
  expect(await new KeptZone(dir.path, "example.net").readRecords(digest)).toBeUndefined();
});

test.each(["", "a/b", "..", `${"\\000".repeat(60)}.net`])(
  "the zone %p has files of its own",
  async (name) => {
    await using dir = await temporary();
    const kept = new KeptZone(join(dir.path, "in"), name);
    await mkdir(join(dir.path, "in"));
    await new KeptZone(join(dir.path, "in"), "x").keep(bytes("x"), noteOf(bytes("x")));
    await kept.keep(bytes("one"), noteOf(bytes("one")));
    expect((await kept.readNote())?.digest).toBe(digestOf(bytes("one")));
    expect(await readdir(dir.path)).toEqual(["in"]);
    expect((await readdir(join(dir.path, "in"))).length).toBe(4);
  },
);

test("kill -9 at any moment leaves one whole version", async () => {
  await using dir = await temporary();
  const source = join(import.meta.dir, "../../../../src/services/dns/secondary/kept-zone.ts");
  const script = `
    import { digestOf, KeptZone } from ${JSON.stringify(source)};
    const kept = new KeptZone(${JSON.stringify(dir.path)}, "example.net");
    for (let i = 0; ; i++) {
      const packed = new Uint8Array(300_000).fill(i);
      await kept.keep(packed, { checkedAt: i, takenAt: i, primary: "", digest: digestOf(packed) });
      if (i === 0) console.log("begun");
    }`;
  const kept = new KeptZone(dir.path, "example.net");
  for (let round = 0; round < 4; round++) {
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
    await child.stdout.getReader().read();
    await Bun.sleep(7 * round);
    child.kill(9);
    await child.exited;
    const note = await kept.readNote();
    const packed = await kept.readRecords(note?.digest ?? "");
    expect(packed?.length).toBe(300_000);
  }
}, 20_000);
