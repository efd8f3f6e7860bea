/** What is kept on disk: over restarts, by several workers, when it is broken, and when it is full. */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as v from "valibot";

import { Bans } from "../../../../../src/services/proxy/cache/bans.ts";
import { cacheSchema, rulesOf } from "../../../../../src/services/proxy/cache/config.ts";
import { Disk } from "../../../../../src/services/proxy/cache/disk/disk.ts";
import { Janitor } from "../../../../../src/services/proxy/cache/disk/janitor.ts";
import { makeDirectories } from "../../../../../src/services/proxy/cache/disk/place.ts";
import type { Ledger } from "../../../../../src/services/proxy/cache/disk/writer.ts";
import { Memory } from "../../../../../src/services/proxy/cache/memory.ts";
import { Store } from "../../../../../src/services/proxy/cache/store.ts";
import { needs } from "../../../../sys/needs.ts";
import { Bench, type Reply } from "../bench.ts";

const FRESH = { "Cache-Control": "max-age=3600", ETag: '"a"' };
const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});
function newRoot(): string {
  const root = mkdtempSync(join(tmpdir(), "tern-cache-"));
  roots.push(root);
  makeDirectories(root);
  return root;
}
const NOBODY: Ledger = { written: () => {}, used: () => {}, removed: () => {} };

/** A worker with a cold memory over a directory. */
function worker(root: string, server: (n: number) => Reply, config: object = {}, ledger = NOBODY) {
  const failures: string[] = [];
  const settings = v.parse(cacheSchema, config);
  const bench: Bench = new Bench(
    config,
    (_, n) => server(n),
    undefined,
    () => {
      const disk = new Disk(root, {
        rules: rulesOf(settings),
        ledger,
        wall: () => bench.wall,
        failed: (what, error) => failures.push(`${what}: ${(error as NodeJS.ErrnoException).code}`),
      });
      return new Store(new Memory(settings.memory), new Bans(), disk);
    },
  );
  const disk = bench.store.disk!;
  return { bench, disk, failures, settled: () => disk.writer.settled() };
}

function filesIn(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name));
}

describe("a response on disk", () => {
  test("is found by another worker, and after a restart", async () => {
    const root = newRoot();
    const one = worker(root, () => ({
      headers: { ...FRESH, Link: ["<a>", "<b>"] },
      body: "hello",
    }));
    const first = await one.bench.get();
    await one.settled();
    const two = worker(root, () => ({ status: 500 }));
    two.bench.wait(10);
    const got = await two.bench.get();
    expect([got.status, got.text, two.bench.heard.length]).toEqual([200, "hello", 0]);
    expect(got.headers.get("age")).toBe("10");
    expect(got.headers.get("link")).toBe(first.headers.get("link"));
    expect(got.headers.get("cache-status")).toBe("tern; hit; ttl=3590");
    await two.bench.get();
    expect(two.disk.hits).toBe(1); // then it is in memory
  });

  test("each variant, and only the right one", async () => {
    const root = newRoot();
    const server = (n: number): Reply => ({
      headers: { ...FRESH, Vary: "X" },
      body: `answer ${n}`,
    });
    const one = worker(root, server);
    for (const x of ["a", "b"]) await one.bench.get({ headers: { x } });
    await one.settled();
    const two = worker(root, () => ({ headers: FRESH, body: "new" }));
    const texts: string[] = [];
    for (const x of ["a", "b", "c"]) texts.push((await two.bench.get({ headers: { x } })).text);
    expect(texts).toEqual(["answer 1", "answer 2", "new"]);
  });

  test("large bodies are sent from their file, whole and in part", async () => {
    const root = newRoot();
    const body = "0123456789".repeat(300_000);
    const one = worker(root, () => ({ headers: FRESH, body }));
    await one.bench.get();
    await one.settled();
    expect(one.bench.store.memory.size).toBe(0);
    const two = worker(root, () => ({ status: 500 }));
    const { body: sent, headers } = await two.bench.response({
      headers: { range: "bytes=1000005-1000007" },
    });
    expect(headers.find(([name]) => name === "Content-Range")?.[1]).toBe(
      "bytes 1000005-1000007/3000000",
    );
    if (sent.kind !== "pieces") throw new Error(sent.kind);
    const [piece] = sent.pieces;
    if (piece === undefined || piece instanceof Uint8Array) throw new Error("no file");
    const [path] = filesIn(root);
    expect(
      readFileSync(path!)
        .subarray(piece.offset, piece.offset + piece.length)
        .toString(),
    ).toBe("567");
    sent.release?.();
    expect(two.bench.heard).toHaveLength(0);
  });

  test.each([10, 2_000_000])("of %d bytes is renewed in its place", async (length) => {
    const root = newRoot();
    const one = worker(root, (n) =>
      n === 1
        ? { headers: FRESH, body: "x".repeat(length) }
        : { status: 304, headers: { ...FRESH, X: "renewed" } },
    );
    await one.bench.get();
    await one.settled();
    one.bench.wait(3601);
    const renewed = await one.bench.response();
    if (renewed.body.kind === "pieces") renewed.body.release?.();
    await Bun.sleep(1);
    await one.settled();
    const two = worker(root, () => ({ status: 500 }));
    two.bench.wall = one.bench.wall;
    two.bench.wait(5);
    const got = await two.bench.response();
    if (got.body.kind === "pieces") got.body.release?.();
    expect(new Headers(got.headers.map(([n, value]) => [n, value])).get("x")).toBe("renewed");
    expect([got.status, two.bench.heard.length]).toEqual([200, 0]);
  });

  test("what waits to be written is found meanwhile, whatever memory has let go of", async () => {
    const bodyOf = (path: string) => path.repeat(100_000 / path.length);
    const one = worker(newRoot(), () => ({ status: 500 }), { memory: "256KiB" });
    one.bench.server = (request) => ({ headers: FRESH, body: bodyOf(request.path) });
    const paths = Array.from({ length: 40 }, (_, i) => `/${String(i).padStart(3, "0")}`);
    for (const path of paths) await one.bench.get({ path });
    expect(one.disk.writer.written).toBeLessThan(20);
    for (const path of paths) expect((await one.bench.get({ path })).text).toBe(bodyOf(path));
    expect(one.bench.heard.length).toBe(40);
    await one.settled();
    for (const path of paths) expect((await one.bench.get({ path })).text).toBe(bodyOf(path));
    expect([one.bench.heard.length, one.disk.writer.written]).toEqual([40, 40]);
  });

  test("what was changed by a request is gone for a worker that comes later", async () => {
    const root = newRoot();
    const one = worker(root, () => ({ headers: FRESH, body: "old" }));
    await one.bench.get();
    await one.settled();
    one.bench.store.bans.add({ time: one.bench.wall, kind: "url", value: "example.net/" });
    one.bench.wait(1);
    await one.bench.get();
    await one.settled();
    const two = worker(root, () => ({ headers: FRESH, body: "new" }));
    two.bench.store.bans.add({ time: one.bench.wall + 10, kind: "url", value: "example.net/" });
    two.bench.wall = one.bench.wall + 20;
    expect((await two.bench.get()).text).toBe("new");
  });
});

describe("a broken file is a miss, and is gone", () => {
  const spoil: Record<string, (path: string) => void> = {
    "cut in its body": (path) => truncateSync(path, statSync(path).size - 3),
    "cut in its head": (path) => truncateSync(path, 20),
    empty: (path) => truncateSync(path, 0),
    "with a bit turned in its body": (path) => turn(path, statSync(path).size - 1),
    "with a bit turned in its note": (path) => turn(path, 60),
    "with a bit turned in its header": (path) => turn(path, 17),
    "of something else": (path) => writeFileSync(path, "<html>".repeat(500)),
    longer: (path) =>
      writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, 700), Buffer.alloc(10)])),
  };
  function turn(path: string, at: number): void {
    const bytes = readFileSync(path);
    bytes[at]! ^= 4;
    writeFileSync(path, bytes);
  }
  for (const length of [5000, 1_500_000])
    test.each(Object.keys(spoil))(`${length} bytes, %s`, async (how) => {
      const root = newRoot();
      const one = worker(root, () => ({ headers: FRESH, body: "x".repeat(length) }));
      await one.bench.get();
      await one.settled();
      const [path] = filesIn(root);
      spoil[how]!(path!);
      const two = worker(root, () => ({ headers: { "Cache-Control": "no-store" }, body: "new" }));
      expect((await two.bench.get()).text).toBe("new");
      expect([two.disk.broken, filesIn(root)]).toEqual([1, []]);
    });
});

test("a file whose name two places share is of the one it says", async () => {
  const root = newRoot();
  const one = worker(root, () => ({ headers: FRESH, body: "a" }));
  await one.bench.get({ path: "/a" });
  await one.settled();
  const [path] = filesIn(root);
  const { fileOf } = await import("../../../../../src/services/proxy/cache/disk/place.ts");
  const other = join(root, fileOf("example.net/b"));
  writeFileSync(other, readFileSync(path!));
  const two = worker(root, () => ({ headers: FRESH, body: "b" }));
  expect((await two.bench.get({ path: "/b" })).text).toBe("b");
});

describe("the bound", () => {
  const janitor = (root: string, bound: number, bans = new Bans()): Janitor =>
    new Janitor({
      root,
      bound,
      bans,
      wall: Date.now,
      failed: (what, error) => {
        throw new Error(what, { cause: error });
      },
    });

  test("is kept, the longest unused going first; a restart knows what there is", async () => {
    const root = newRoot();
    let keeper: Janitor = janitor(root, 20_000);
    await keeper.ready;
    const one = worker(root, () => ({ headers: FRESH, body: "x".repeat(3500) }), {}, keeper);
    for (const path of ["/1", "/2", "/3"]) {
      await one.bench.get({ path });
      await one.settled();
    }
    expect(keeper.size).toBe(3);
    // Used by another worker, whose memory is cold.
    const two = worker(root, () => ({ status: 500 }), {}, keeper);
    await two.bench.get({ path: "/1" });
    for (const path of ["/4", "/5"]) {
      await one.bench.get({ path });
      await one.settled();
    }
    await Bun.sleep(30);
    expect(keeper.bytes).toBeLessThanOrEqual(20_000);
    keeper.close();
    keeper = janitor(root, 20_000);
    await keeper.ready;
    // What they take of the disk, which hands out blocks.
    expect([keeper.size, keeper.bytes]).toEqual([
      filesIn(root).length,
      filesIn(root).reduce((sum, path) => sum + statSync(path).blocks * 512, 0),
    ]);
    const three = worker(root, () => ({ headers: { "Cache-Control": "no-store" }, body: "gone" }));
    const texts: string[] = [];
    for (const path of ["/1", "/2", "/5"])
      texts.push((await three.bench.get({ path })).text.slice(0, 4));
    expect(texts).toEqual(["xxxx", "gone", "xxxx"]);
    keeper.close();
  });

  test("a response that another worker has put there since is not renewed by the old one", async () => {
    const root = newRoot();
    const reply = (tag: string): Reply => ({
      headers: { "Cache-Control": "max-age=60", ETag: `"${tag}"` },
      body: tag,
    });
    const gate = Promise.withResolvers<void>();
    const one = worker(root, (n) => (n === 1 ? reply("old") : { status: 304 }));
    await one.bench.get();
    const server = one.bench.server;
    one.bench.server = async (request, n) => {
      await gate.promise;
      return await server(request, n);
    };
    one.bench.wait(61);
    const late = one.bench.get();
    const two = worker(root, () => reply("new"));
    two.bench.wait(61);
    await two.bench.get();
    gate.resolve();
    await late;
    await one.settled();
    const three = worker(root, () => ({ status: 500 }));
    three.bench.wait(61);
    const got = await three.bench.get();
    expect([got.text, got.headers.get("etag")]).toEqual(["new", '"new"']);
  });

  test("what is banned is removed, the rest stays", async () => {
    const root = newRoot();
    const bans = new Bans();
    const keeper = janitor(root, 1e9, bans);
    await keeper.ready;
    const one = worker(
      root,
      (n) => ({ headers: { ...FRESH, "Cache-Tag": n % 2 ? "odd" : "even, all" }, body: String(n) }),
      {},
      keeper,
    );
    for (let i = 0; i < 10; i++) await one.bench.get({ path: `/${i}` });
    await one.settled();
    bans.add({ time: one.bench.wall, kind: "tag", value: "odd" });
    keeper.sweep();
    await Bun.sleep(50);
    expect([keeper.size, filesIn(root).length]).toEqual([5, 5]);
    bans.add({ time: one.bench.wall, kind: "prefix", value: "example.net/1" });
    keeper.sweep();
    await Bun.sleep(50);
    expect(filesIn(root).length).toBe(4);
    keeper.close();
  });
});

const small = mkdtempSync(join(tmpdir(), "tern-small-"));
const mounted =
  process.getuid?.() === 0 &&
  Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=600k", "tern", small]).exitCode === 0;
afterAll(() => {
  if (mounted) Bun.spawnSync(["umount", small]);
  rmSync(small, { recursive: true, force: true });
});
needs(mounted, "root, to mount a small tmpfs")(
  "a full disk is done without, and used again when there is room",
  async () => {
    makeDirectories(small);
    const one = worker(small, (n) => ({ headers: FRESH, body: `${n}`.padEnd(40_000) }), {
      memory: "1MiB",
    });
    for (let i = 0; i < 30; i++) {
      const got = await one.bench.get({ path: `/${i}` });
      expect([got.status, got.text.length]).toEqual([200, 40_000]);
    }
    expect(one.failures).toContain("write: ENOSPC");
    expect(one.disk.writer.written).toBeLessThan(20);
    expect(one.disk.writer.dropped).toBeGreaterThan(0); // it is left alone for a while
    expect(readdirSync(join(small, "new"))).toEqual([]);
    const two = worker(small, () => ({ status: 500 }), {}, NOBODY);
    const texts: string[] = [];
    for (let i = 0; i < 30; i++) texts.push((await two.bench.get({ path: `/${i}` })).text.trim());
    expect(texts.filter((text, i) => text !== "" && text !== String(i + 1))).toEqual([]);
    // Somebody makes room.
    for (const path of filesIn(small)) rmSync(path);
    one.bench.wait(10);
    await one.bench.get({ path: "/later" });
    expect(filesIn(small)).toHaveLength(1);
  },
);

test("a directory that is gone is done without", async () => {
  const root = newRoot();
  const one = worker(root, (n) => ({ headers: FRESH, body: String(n) }));
  rmSync(root, { recursive: true });
  expect((await one.bench.get()).text).toBe("1");
  expect((await one.bench.get()).text).toBe("1"); // from memory
  expect(one.failures).toEqual(["write: ENOENT"]);
});
