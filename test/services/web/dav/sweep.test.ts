import { describe, expect, test } from "bun:test";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { ANCIENT_MS, STALE_MS, sweep } from "../../../../src/services/web/dav/sweep.ts";
import { makerOf, temporaryPath } from "../../../../src/services/web/dav/temporary.ts";
import { temporary } from "../../../fake/temporary.ts";
import { Fixture } from "./fixture.ts";

const DEAD = 11;
const ALIVE = 12;
const name = (kind: string, pid: number) => `.tern-${kind}-${pid}-0123456789abcdef`;

async function swept(files: readonly string[], age: number) {
  await using directory = await temporary();
  const root = directory.path;
  for (const file of files) {
    await mkdir(join(root, dirname(file)), { recursive: true });
    await writeFile(join(root, file), "");
  }
  const signal = new AbortController().signal;
  const alive = (pid: number) => pid === ALIVE;
  const result = await sweep(root, { now: () => Date.now() + age, alive, signal });
  const left = await readdir(root, { recursive: true, withFileTypes: true });
  return {
    left: left.filter((e) => e.isFile()).map((e) => e.name),
    young: result.young.length,
    removed: result.removed.length,
  };
}

describe("sweep", () => {
  test.each([
    { story: "a dead upload", file: name("put", DEAD), age: STALE_MS + 1000, left: false },
    {
      story: "one deep down",
      file: `a/b/${name("copy", DEAD)}`,
      age: STALE_MS + 1000,
      left: false,
    },
    {
      story: "a tree half deleted",
      file: `${name("gone", DEAD)}/a/b`,
      age: STALE_MS + 1000,
      left: false,
    },
    { story: "an upload going on", file: name("put", ALIVE), age: STALE_MS + 1000, left: true },
    {
      story: "one whose process number is another's now",
      file: name("put", ALIVE),
      age: ANCIENT_MS + 1000,
      left: false,
    },
    { story: "maybe of a container beside", file: name("put", DEAD), age: 0, left: true, young: 1 },
    { story: "another hidden file", file: ".tern-put-notes", age: ANCIENT_MS * 2, left: true },
  ])("$story: left is $left", async ({ file, age, left, young = 0 }) => {
    const result = await swept([file, "a/keep"], age);
    expect(result.left.sort()).toEqual(
      left ? [file.split("/").at(-1) ?? "", "keep"].sort() : ["keep"],
    );
    expect([result.young, result.removed]).toEqual([young, left ? 0 : 1]);
  });

  test("does not follow links", async () => {
    await using outside = await temporary();
    await writeFile(join(outside.path, name("put", DEAD)), "");
    await using inside = await temporary();
    await symlink(outside.path, join(inside.path, "link"));
    const signal = new AbortController().signal;
    await sweep(inside.path, {
      now: () => Date.now() + ANCIENT_MS * 2,
      alive: () => false,
      signal,
    });
    expect(await readdir(outside.path)).toHaveLength(1);
  });

  test("names tell their maker, and only names like them", () => {
    expect(makerOf(temporaryPath("/a", "put").slice(3))).toBe(process.pid);
    for (const other of [
      ".tern-put-1-xyz",
      "tern-put-1-0123456789abcdef",
      ".tern-lock-1-0123456789abcdef",
    ])
      expect(makerOf(other)).toBeUndefined();
  });

  test("runs when a site starts, and only where it is told to", async () => {
    await using first = await Fixture.make();
    await writeFile(first.path(name("put", 2 ** 22 + 1)), ""); // no process has so high a number
    const now = Date.now() + STALE_MS * 2;
    await using _idle = await Fixture.make({ root: first.root, now });
    expect(await readdir(first.root)).toHaveLength(1);
    await using cleaner = await Fixture.make({ root: first.root, sweep: true, now });
    for (let i = 0; i < 200 && (await readdir(first.root)).length > 0; i++) await Bun.sleep(5);
    expect(await readdir(first.root)).toEqual([]);
    while (cleaner.log.lines.length === 0) await Bun.sleep(5);
    expect(cleaner.log.lines).toEqual(["info removed what interrupted uploads left behind"]);
  });
});
