/** Long bodies go to disk while they come: who is behind reads them from there. */
import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as v from "valibot";

import { Bans } from "../../../../../src/services/proxy/cache/bans.ts";
import { cacheSchema, rulesOf } from "../../../../../src/services/proxy/cache/config.ts";
import { Disk } from "../../../../../src/services/proxy/cache/disk/disk.ts";
import { makeDirectories, NEW } from "../../../../../src/services/proxy/cache/disk/place.ts";
import { Memory } from "../../../../../src/services/proxy/cache/memory.ts";
import { Store } from "../../../../../src/services/proxy/cache/store.ts";
import type { HttpResponse } from "../../../../../src/wire/http/message.ts";
import { needs } from "../../../../sys/needs.ts";
import { Bench, Reader, Tap } from "../bench.ts";

setDefaultTimeout(20_000); // megabytes, on a machine that may be busy

const MB = 1024 * 1024;
const FRESH = { "Cache-Control": "max-age=3600", ETag: '"a"' };
const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

/** A worker with a directory of its own, and a server that sends what the test says. */
function filling(root = newRoot(), config: object = {}, length?: number) {
  makeDirectories(root);
  const tap = new Tap();
  const settings = v.parse(cacheSchema, config);
  const failures: string[] = [];
  const bench: Bench = new Bench(
    config,
    (_, n) => ({ headers: FRESH, body: n === 1 ? tap.body(length) : `again ${n}` }),
    undefined,
    () => {
      const disk = new Disk(root, {
        rules: rulesOf(settings),
        ledger: { written: () => {}, used: () => {}, removed: () => {} },
        wall: () => bench.wall,
        failed: (what) => failures.push(what),
      });
      return new Store(new Memory(settings.memory), new Bans(), disk);
    },
  );
  return { bench, tap, root, failures };
}
function newRoot(): string {
  const root = mkdtempSync(join(tmpdir(), "tern-spool-"));
  roots.push(root);
  return root;
}
/** Sizes of the files on their way, and how many have their names. */
function onDisk(root: string): { coming: number[]; named: number } {
  const coming = readdirSync(join(root, NEW)).map((name) => statSync(join(root, NEW, name)).size);
  const others = readdirSync(root).filter((name) => name !== NEW);
  const named = others.reduce((sum, name) => sum + readdirSync(join(root, name)).length, 0);
  return { coming, named };
}

/** Checks every byte: the body is 0, 1, 2 … in words of four bytes. */
class Checking extends Reader {
  wrong = 0;
  override write(bytes: Uint8Array, from: number, to: number): boolean {
    for (let i = from; i < to; i++) if (bytes[i] !== byteAt(this.bytes + i - from)) this.wrong++;
    return super.write(bytes, from, to);
  }
}
function byteAt(at: number): number {
  return ((at >>> 2) >>> ((at & 3) * 8)) & 0xff;
}
function bodyFrom(at: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = byteAt(at + i);
  return bytes;
}
function checking({ body }: HttpResponse, room = Infinity): Checking {
  if (body.kind !== "flow") throw new Error(`a body of kind ${body.kind}`);
  const one = new Checking(body.flow);
  one.room = room;
  body.flow.start(one);
  return one;
}
async function until(what: () => boolean): Promise<void> {
  for (const end = Date.now() + 4000; !what(); await Bun.sleep(2))
    if (Date.now() > end) throw new Error(`it did not come to be: ${what}`);
}
/** Send [from, to) in pieces, as fast as they are taken. */
async function send(tap: Tap, from: number, to: number, piece = 100_001): Promise<void> {
  for (let at = from; at < to; at += piece) {
    tap.send(bodyFrom(at, Math.min(piece, to - at)));
    if ((at / piece) % 8 === 0) await Bun.sleep(0);
  }
}

describe.each([{ length: 7 * MB + 17 }, { length: undefined }])(
  "said to be $length long",
  ({ length }) => {
    test("all get all of it: the quick, the slow, and who comes late; then it is stored", async () => {
      const { bench, tap, root } = filling(undefined, {}, length);
      const all = length ?? 7 * MB + 17;
      const quick = checking(await bench.response());
      const slow = checking(await bench.response(), 10);
      await send(tap, 0, 5 * MB);
      await until(() => quick.bytes === 5 * MB);
      expect(slow.bytes).toBeLessThan(2 * MB);
      expect(onDisk(root)).toEqual({ coming: [expect.any(Number)], named: 0 });
      const late = checking(await bench.response());
      await send(tap, 5 * MB, all);
      tap.end();
      slow.more();
      await until(() => [quick, slow, late].every(({ state }) => state === "end"));
      expect([quick, slow, late].map(({ bytes, wrong }) => [bytes, wrong])).toEqual(
        Array(3).fill([all, 0]),
      );
      await until(() => onDisk(root).named === 1);
      expect(onDisk(root).coming).toEqual([]);
      // Read as by another worker: its checksum is right.
      const { bench: other } = filling(root);
      const { body, headers } = await other.response();
      expect(body).toMatchObject({ kind: "pieces", pieces: [{ length: all }] });
      expect(new Map(headers).get("Cache-Status")).toContain("hit");
      if (body.kind === "pieces") body.release?.();
    });
  },
);

test("only the latest of it is in memory, whoever is behind", async () => {
  const { bench, tap } = filling();
  await bench.response().then((response) => checking(response, 10));
  await send(tap, 0, 2 * MB);
  Bun.gc(true);
  const before = process.memoryUsage().arrayBuffers;
  const piece = new Uint8Array(MB / 2);
  for (let sent = 2 * MB; sent < 40 * MB; sent += piece.length) {
    tap.send(piece);
    await Bun.sleep(0);
  }
  await until(() => !tap.paused);
  await Bun.sleep(50);
  Bun.gc(true);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(12 * MB);
});

test.each([
  { story: "the server fails", length: undefined, fails: true },
  { story: "it is shorter than it was said to be", length: 6 * MB, fails: false },
])("$story: cut for all, and nothing is left of it", async ({ length, fails }) => {
  const { bench, tap, root } = filling(undefined, {}, length);
  const quick = checking(await bench.response());
  const slow = checking(await bench.response(), 10);
  await send(tap, 0, 4 * MB);
  if (fails) tap.fail();
  else tap.end();
  slow.more();
  await until(() => quick.state !== "reading" && slow.state !== "reading");
  expect([quick.state, slow.state, slow.wrong]).toEqual(["failed", "failed", 0]);
  expect(onDisk(root)).toEqual({ coming: [], named: 0 });
  expect((await bench.get()).text).toBe("again 2");
});

test("it turns out too large: it is passed on, at the pace of the slowest, and the disk takes no more", async () => {
  const { bench, tap, root } = filling(undefined, { max_object: "3m" });
  const quick = checking(await bench.response());
  const slow = checking(await bench.response(), 10);
  await send(tap, 0, 8 * MB);
  await until(() => tap.paused);
  expect(quick.bytes).toBeLessThan(4 * MB);
  expect(Math.max(0, ...onDisk(root).coming)).toBeLessThan(4 * MB);
  slow.more();
  await until(() => tap.taken === 8 * MB);
  tap.end();
  await until(() => quick.state === "end" && slow.state === "end");
  expect([quick, slow].map(({ bytes, wrong }) => [bytes, wrong])).toEqual(
    Array(2).fill([8 * MB, 0]),
  );
  expect(onDisk(root)).toEqual({ coming: [], named: 0 });
});

test("purged while it comes: those who read it get it, nobody else", async () => {
  const { bench, tap, root } = filling();
  const one = checking(await bench.response());
  await send(tap, 0, 3 * MB);
  bench.store.bans.add({ kind: "all", value: "", time: bench.wall });
  tap.end();
  await until(() => one.state === "end");
  await until(() => onDisk(root).coming.length === 0);
  expect([one.bytes, one.wrong, onDisk(root).named]).toEqual([3 * MB, 0, 0]);
});

const small = mkdtempSync(join(tmpdir(), "tern-small-"));
const mounted =
  process.getuid?.() === 0 &&
  Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=3m", "tern", small]).exitCode === 0;
afterAll(() => {
  if (mounted) Bun.spawnSync(["umount", small]);
  rmSync(small, { recursive: true, force: true });
});
needs(mounted, "root, to mount a small tmpfs")(
  "the disk is full in the middle of it: clients get it all the same, nothing is kept",
  async () => {
    const { bench, tap, failures } = filling(small, {}, 8 * MB);
    const quick = checking(await bench.response());
    const slow = checking(await bench.response(), 10);
    await send(tap, 0, 6 * MB);
    await until(() => failures.length > 0);
    expect(failures).toEqual(["write"]);
    slow.more();
    await send(tap, 6 * MB, 8 * MB);
    tap.end();
    await until(() => quick.state !== "reading" && slow.state !== "reading");
    expect([quick, slow].map(({ bytes, wrong, state }) => [bytes, wrong, state])).toEqual(
      Array(2).fill([8 * MB, 0, "end"]),
    );
    expect(onDisk(small)).toEqual({ coming: [], named: 0 });
  },
);
