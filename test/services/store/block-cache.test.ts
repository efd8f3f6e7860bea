import { expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";

import fc from "fast-check";

import { silent } from "../../../src/observe/log.ts";
import { BlockCache } from "../../../src/services/store/block-cache/block-cache.ts";
import { Blocks } from "../../../src/services/store/copy-reader.ts";
import { Checksums, type FileVersion } from "../../../src/services/store/record.ts";
import { smallDisk } from "../../fake/small-disk.ts";
import { temporary } from "../../fake/temporary.ts";
import { asRoot } from "../../sys/needs.ts";
import { rig } from "./rig.ts";

const MIB = 2 ** 20;
const PLACES = { data: "/d", record: "/r", temporary: "/t", bare: "/b" };

function blocksOf(bytes: Uint8Array): Blocks {
  const sums = new Checksums();
  sums.add(bytes);
  const stamp = { time: 1, by: "a" };
  const version: FileVersion = { kind: "file", stamp, mtime: 0, ...sums.finish() };
  return new Blocks(version, PLACES);
}

function random(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (Math.imul(i + 1, 2654435761) + seed * 40503) >>> 13;
  return bytes;
}

function opened(directory: string, budget: number, wall = () => 1e12): BlockCache {
  return BlockCache.open(directory, budget, { log: silent, wall });
}

/** As `keep`, until it is on the disk. */
async function kept(cache: BlockCache, blocks: Blocks, bytes: Uint8Array): Promise<void> {
  const before = cache.figures.kept + cache.figures.passed_by;
  cache.keep(blocks, 0, bytes);
  while (cache.figures.kept + cache.figures.passed_by === before) await Bun.sleep(1);
}

const isThere = async (cache: BlockCache, blocks: Blocks): Promise<boolean> =>
  (await cache.get(blocks, 0, new Uint8Array(blocks.version.size))) !== undefined;

test.each([1, 4096, 64 * 1024, 64 * 1024 + 1, MIB])(
  "%i bytes are found again, by another process and after a restart, too",
  async (length) => {
    await using dir = await temporary();
    const [cache, other] = [opened(dir.path, 64 * MIB), opened(dir.path, 64 * MIB)];
    const bytes = random(length, 7);
    const blocks = blocksOf(bytes);
    expect(await isThere(cache, blocks)).toBe(false);
    await kept(cache, blocks, bytes);
    for (const one of [cache, other])
      expect(await one.get(blocks, 0, new Uint8Array(MIB))).toEqual(bytes);
    await cache.close();
    await other.close();
    const again = opened(dir.path, 64 * MIB);
    expect(await again.get(blocks, 0, new Uint8Array(MIB))).toEqual(bytes);
    // Somebody else's bytes of that length are not these.
    expect(await isThere(again, blocksOf(random(length, 8)))).toBe(false);
    await again.close();
  },
);

test("whatever becomes of the files, what is found is right", async () => {
  await using dir = await temporary();
  let seed = 0;
  const damage = fc.array(fc.record({ file: fc.nat(1), at: fc.nat(MIB), byte: fc.nat(255) }), {
    minLength: 1,
    maxLength: 200,
  });
  let wrong = 0;
  await fc.assert(
    fc.asyncProperty(damage, async (places) => {
      const cache = opened(dir.path, 16 * MIB);
      const bodies = Array.from({ length: 6 }, (_, i) => random(2000 + 30_000 * i, seed++));
      const all = bodies.map((bytes) => ({ bytes, blocks: blocksOf(bytes) }));
      for (const { blocks, bytes } of all) await kept(cache, blocks, bytes);
      const names = readdirSync(dir.path);
      for (const { file, at, byte } of places) {
        await using handle = await open(join(dir.path, names[file % names.length] ?? ""), "r+");
        await handle.write(Uint8Array.of(byte), 0, 1, at);
      }
      for (const { blocks, bytes } of all) {
        const found = await cache.get(blocks, 0, new Uint8Array(MIB));
        if (found === undefined) wrong++;
        else expect(Buffer.compare(found, bytes)).toBe(0);
        // What was wrong is not tried again, and can be kept anew.
        if (found === undefined) await kept(cache, blocks, bytes);
        expect(await isThere(cache, blocks)).toBe(true);
      }
      await cache.close();
    }),
    { numRuns: 40 },
  );
  expect(wrong).toBeGreaterThan(0);
});

test.each([
  { story: "shorter", length: 1999 },
  { story: "longer", length: 2001 },
  { story: "of no length", length: 0 },
  { story: "longer than there is room for", length: 2 ** 32 - 1 },
])("an entry that says its block is $story is done without, and made anew", async ({ length }) => {
  await using dir = await temporary();
  const cache = opened(dir.path, 16 * MIB);
  const bytes = random(2000, 3);
  const blocks = blocksOf(bytes);
  await kept(cache, blocks, bytes);
  for (const name of readdirSync(dir.path)) {
    const file = join(dir.path, name);
    const all = readFileSync(file);
    const at = all.indexOf(Buffer.of(2000 & 255, 2000 >> 8, 0, 0));
    if (at < 0) continue;
    await using handle = await open(file, "r+");
    const entry = Buffer.alloc(4);
    entry.writeUInt32LE(length);
    await handle.write(entry, 0, 4, at);
  }
  expect(await isThere(cache, blocks)).toBe(false);
  cache.keep(blocks, 0, bytes);
  await cache.close();
  const again = opened(dir.path, 16 * MIB);
  expect(await again.get(blocks, 0, new Uint8Array(MIB))).toEqual(bytes);
  await again.close();
});

test("it stays within its budget, and one long file does not drive out what is used", async () => {
  await using dir = await temporary();
  let now = 1e12;
  const cache = opened(dir.path, 4 * MIB, () => now);
  const used = Array.from({ length: 8 }, (_, i) => random(40_000, i));
  for (const bytes of used) {
    now += 1000;
    await kept(cache, blocksOf(bytes), bytes);
    await isThere(cache, blocksOf(bytes));
  }
  for (let i = 0; i < 200; i++) {
    now += 1000;
    const bytes = random(40_000, 100 + i);
    await kept(cache, blocksOf(bytes), bytes);
  }
  let left = 0;
  for (const bytes of used) left += Number(await isThere(cache, blocksOf(bytes)));
  expect(left).toBeGreaterThan(4);
  // Whoever is not asked for any more does go.
  now += 24 * 3600_000;
  for (let i = 0; i < 200; i++) {
    now += 1000;
    const bytes = random(40_000, 500 + i);
    await kept(cache, blocksOf(bytes), bytes);
  }
  for (const bytes of used) expect(await isThere(cache, blocksOf(bytes))).toBe(false);
  await cache.close();
  const sizes = readdirSync(dir.path).map((name) => statSync(join(dir.path, name)).size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(4 * MIB);
});

test("a link in place of its file is not followed", async () => {
  await using dir = await temporary();
  await opened(join(dir.path, "a"), 16 * MIB).close();
  const [name = ""] = readdirSync(join(dir.path, "a"));
  const other = join(dir.path, "other");
  writeFileSync(other, "somebody else's");
  mkdirSync(join(dir.path, "b"));
  symlinkSync(other, join(dir.path, "b", name));
  expect(() => opened(join(dir.path, "b"), 16 * MIB)).toThrow("ELOOP");
  expect(readFileSync(other, "utf8")).toBe("somebody else's");
});

test("another budget leaves nothing of the one before", async () => {
  await using dir = await temporary();
  await opened(dir.path, 64 * MIB).close();
  const before = readdirSync(dir.path);
  const cache = opened(dir.path, 128 * MIB);
  expect(readdirSync(dir.path)).toHaveLength(2);
  expect(readdirSync(dir.path).filter((name) => before.includes(name))).toEqual([]);
  await cache.close();
});

test("what cannot be opened leaves nothing open", async () => {
  await using dir = await temporary();
  await opened(dir.path, 64 * MIB).close();
  const [large = ""] = readdirSync(dir.path).filter((name) => name.includes("1048576"));
  rmSync(join(dir.path, large));
  mkdirSync(join(dir.path, large)); // in place of the second file
  const open = (): string[] =>
    readdirSync("/proc/self/fd").flatMap((fd) => {
      const path = `/proc/self/fd/${fd}`;
      // That of the directory itself is closed by now.
      return existsSync(path) && readlinkSync(path).startsWith(dir.path) ? [path] : [];
    });
  expect(() => opened(dir.path, 64 * MIB)).toThrow("EISDIR");
  expect(open()).toEqual([]);
});

test("who reads or asks while it closes reaches no file of others", async () => {
  await using dir = await temporary();
  const cache = opened(dir.path, 64 * MIB);
  const bytes = random(MIB, 1);
  const blocks = blocksOf(bytes);
  await kept(cache, blocks, bytes);
  const order: string[] = [];
  await Promise.all([
    isThere(cache, blocks).then((there) => order.push(there ? "found" : "not found")),
    cache.close().then(() => order.push("closed")),
  ]);
  expect(order).toEqual(["found", "closed"]);
  // These have the numbers now that its files had.
  const others = [0, 1, 2, 3].map((i) => join(dir.path, `other ${i}`));
  const handles = await Promise.all(others.map((path) => open(path, "w+")));
  cache.keep(blocks, 0, bytes);
  expect(await isThere(cache, blocks)).toBe(false);
  expect(others.map((path) => statSync(path).size)).toEqual([0, 0, 0, 0]);
  expect(cache.figures.kept).toBe(1);
  await Promise.all(handles.map((handle) => handle.close()));
});

asRoot("a full disk costs what it would have kept, and nothing else", async () => {
  await using dir = await temporary();
  using _ = smallDisk(dir.path, 256 * 1024);
  let now = 1e12;
  const cache = opened(dir.path, 64 * MIB, () => now);
  for (let i = 0; i < 4; i++) {
    const bytes = random(100_000, i);
    await kept(cache, blocksOf(bytes), bytes);
    now += 3600_000;
  }
  expect(cache.figures).toMatchObject({ kept: 2, passed_by: 2 });
  for (let i = 0; i < 4; i++)
    expect(await isThere(cache, blocksOf(random(100_000, i)))).toBe(i < 2);
  await cache.close();
});

test("a file of members elsewhere is read from them once; from a damaged cache never", async () => {
  await using dir = await temporary();
  const cache = opened(join(dir.path, "cache"), 64 * MIB);
  await using it = await rig({ blockCache: cache });
  // In the usual way, as those elsewhere are, so that what is asked of them is in their diaries.
  for (const member of it.members) member.fault = { cutAfter: Infinity };
  const dataRead = (): number =>
    it.members
      .flatMap(({ diary }) => diary.splice(0))
      .filter((line) => line.startsWith("read ") && !line.includes(".records/")).length;
  const body = random(3 * MIB + 5, 1);
  expect(await it.put("/a", body)).toBe("kept");
  dataRead();
  expect(await it.get("/a")).toEqual(body);
  expect(dataRead()).toBeGreaterThan(0);
  while (cache.figures.kept < 4) await Bun.sleep(1);
  expect(await it.get("/a")).toEqual(body);
  expect(await it.get("/a", MIB - 1, 2 * MIB + 1)).toEqual(body.subarray(MIB - 1, 2 * MIB + 1));
  expect(dataRead()).toBe(0);
  // Each byte of the data of one kind of slots is another one.
  const [large = ""] = readdirSync(join(dir.path, "cache")).filter((name) =>
    name.includes("1048576"),
  );
  const path = join(dir.path, "cache", large);
  const bytes = await Bun.file(path).bytes();
  for (let i = 4096; i < bytes.length; i += 4096) bytes[i] = (bytes[i] ?? 0) ^ 1;
  {
    await using file = await open(path, "r+");
    await file.write(bytes, 4096, bytes.length - 4096, 4096);
  }
  expect(await it.get("/a")).toEqual(body);
  expect(dataRead()).toBeGreaterThan(0);
  // What is written anew is another file.
  const other = random(3 * MIB, 2);
  expect(await it.put("/a", other)).toBe("kept");
  expect(await it.get("/a")).toEqual(other);
  expect(await it.remove("/a")).toBe("kept");
  expect(await it.get("/a")).toBe("deleted");
  await cache.close();
});
