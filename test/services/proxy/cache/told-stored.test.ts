/** `stored` in Cache-Status: said of what is kept, and of nothing else. */
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as v from "valibot";

import { Bans } from "../../../../src/services/proxy/cache/bans.ts";
import { cacheSchema, rulesOf } from "../../../../src/services/proxy/cache/config.ts";
import { Disk } from "../../../../src/services/proxy/cache/disk/disk.ts";
import { makeDirectories } from "../../../../src/services/proxy/cache/disk/place.ts";
import { Memory } from "../../../../src/services/proxy/cache/memory.ts";
import { Store } from "../../../../src/services/proxy/cache/store.ts";
import { Bench, Tap } from "./bench.ts";

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

/** A directory, or one that is gone when something is to be written there. */
function onDisk(memory: string, gone: boolean): Store {
  const root = mkdtempSync(join(tmpdir(), "tern-stored-"));
  roots.push(root);
  makeDirectories(root);
  if (gone) rmSync(root, { recursive: true });
  const settings = v.parse(cacheSchema, { memory });
  const ledger = { written: () => {}, used: () => {}, removed: () => {} };
  const disk = new Disk(root, {
    rules: rulesOf(settings),
    ledger,
    wall: Date.now,
    failed: () => {},
  });
  return new Store(new Memory(settings.memory), new Bans(), disk);
}

const table: readonly {
  readonly memory: string;
  readonly disk: "none" | "there" | "gone";
  readonly length: number;
  readonly stored: boolean;
}[] = [
  { memory: "0", disk: "none", length: 10, stored: false },
  { memory: "0", disk: "none", length: 0, stored: false },
  { memory: "1MiB", disk: "none", length: 10, stored: true },
  { memory: "1MiB", disk: "none", length: 0, stored: true },
  { memory: "1MiB", disk: "none", length: 300_000, stored: false },
  { memory: "0", disk: "there", length: 10, stored: true },
  { memory: "0", disk: "there", length: 300_000, stored: true },
  { memory: "0", disk: "gone", length: 10, stored: false },
  { memory: "1MiB", disk: "gone", length: 10, stored: true },
];

describe.each(table)("$memory of memory, disk $disk, $length bytes", (row) => {
  const { disk, length, memory, stored } = row;
  function bench(whole: () => Tap | undefined): Bench {
    return new Bench(
      { memory },
      () => ({
        headers: { "Cache-Control": "max-age=60" },
        body: whole()?.body(length) ?? "x".repeat(length),
      }),
      undefined,
      disk === "none" ? undefined : () => onDisk(memory, disk === "gone"),
    );
  }

  test("that came at once", async () => {
    const one = bench(() => undefined);
    const got = await one.get();
    expect(got.headers.get("cache-status")?.endsWith("; stored")).toBe(stored);
    expect([got.text.length, one.cache.stored]).toEqual([length, Number(stored)]);
  });

  // A disk that is in trouble shows when it is written to.
  if (disk === "gone" || length === 0) return;
  test("that are on their way", async () => {
    const tap = new Tap();
    const one = bench(() => tap);
    const head = await one.response();
    const told = head.headers.find(([name]) => name === "Cache-Status")?.[1];
    expect(told?.endsWith("; stored")).toBe(stored);
    tap.send("x".repeat(length));
    tap.end();
    expect(one.cache.stored).toBe(Number(stored));
  });
});
