import { expect, test } from "bun:test";
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";

import { silent } from "../../../src/observe/log.ts";
import { type Hint, Hints, wantedIn } from "../../../src/services/store/hints/hints.ts";
import { emitLine, Journal, parseLines } from "../../../src/services/store/hints/journal.ts";
import { temporary } from "../../fake/temporary.ts";

function hint(path: string, member = "a", time = 1): Hint {
  return {
    name: { stage: 0, key: path, path },
    member,
    stamp: { time, by: "x" },
    suspect: false,
  };
}

test("what it reads is what was written, whatever that was", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (values) => {
      const written = JSON.parse(JSON.stringify(values)) as unknown[];
      expect(parseLines(values.map(emitLine).join(""))).toEqual({ values: written, damaged: 0 });
    }),
  );
});

test("cut off at any byte, all lines in front of it are there, and the next one is whole", async () => {
  await using dir = await temporary();
  const values = [{ want: 1 }, { want: "zwölf" }, { done: "three" }];
  const whole = Buffer.from(values.map(emitLine).join(""));
  const ends = values.map(
    (_, i) =>
      Buffer.from(
        values
          .slice(0, i + 1)
          .map(emitLine)
          .join(""),
      ).length,
  );
  for (let cut = 0; cut <= whole.length; cut++) {
    const path = join(dir.path, String(cut));
    writeFileSync(path, whole.subarray(0, cut));
    const journal = await Journal.open(path);
    await journal?.add({ next: true });
    // The line end may be missing without a loss.
    const kept = values.filter((_, i) => cut >= (ends[i] ?? 0) - 1);
    expect(journal?.read().values).toEqual([...kept, { next: true }]);
    await journal?.close();
  }
});

test("a flipped bit costs its own line", () => {
  const values = [{ want: 1 }, { want: 2 }, { want: 3 }];
  const whole = Buffer.from(values.map(emitLine).join(""));
  for (let at = 0; at < whole.length; at++)
    for (const bit of [0, 3, 7]) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      const read = parseLines(bytes.toString("utf8")).values;
      const lost = values.filter((value) => !read.some((one) => Bun.deepEquals(one, value)));
      // A line end is of two lines.
      expect(lost.length).toBeLessThanOrEqual(whole[at] === 10 ? 2 : 1);
      for (const value of read) expect(values).toContainEqual(value as { want: number });
    }
});

test("a journal has one owner, and the next one when that is gone", async () => {
  await using dir = await temporary();
  const path = join(dir.path, "x.journal");
  const first = await Journal.open(path);
  expect(await Journal.open(path)).toBeUndefined();
  await first?.close();
  const second = await Journal.open(path);
  expect(second).toBeDefined();
  await second?.close(true);
  expect(readdirSync(dir.path)).toEqual([]);
});

test("promises outlive whoever made them, and are kept once", async () => {
  await using dir = await temporary();
  let now = 0;
  const first = await Hints.open(dir.path, silent, () => now);
  await first.promise([hint("/a"), hint("/b"), hint("/a", "b")]);
  await first.promise([hint("/a", "a", 5)]);
  await first.done(hint("/b"));
  // An older one than what is wanted is not enough.
  await first.done(hint("/a", "a", 4));
  first.suggest(hint("/light"));
  expect([first.size, first.durable]).toEqual([3, 2]);
  await first.close();
  const second = await Hints.open(dir.path, silent, () => now);
  expect(second.durable).toBe(2);
  expect(second.due()).toEqual([]);
  now = 10_000;
  expect(second.due().map(({ member, stamp }) => [member, stamp.time])).toEqual([
    ["a", 5],
    ["b", 1],
  ]);
  expect(second.isStale({ stage: 0, key: "/a", path: "/a" }, "a", { time: 4, by: "x" })).toBe(true);
  expect(second.isStale({ stage: 0, key: "/a", path: "/a" }, "a", { time: 5, by: "x" })).toBe(
    false,
  );
  const [one] = second.due();
  if (one) second.failed(one);
  expect(second.due().length).toBe(1);
  for (const each of [hint("/a", "a", 5), hint("/a", "b")]) await second.done(each);
  await second.close();
  expect(readdirSync(dir.path)).toEqual([]);
});

test("what another process has promised is known here", async () => {
  await using dir = await temporary();
  const one = await Hints.open(dir.path, silent, () => 0);
  const other = await Hints.open(dir.path, silent, () => 0);
  await one.promise([hint("/a", "a", 7)]);
  const name = { stage: 0, key: "/a", path: "/a" };
  expect(other.isStale(name, "a", { time: 6, by: "" })).toBe(true);
  await one.done(hint("/a", "a", 7));
  expect(other.isStale(name, "a", { time: 6, by: "" })).toBe(false);
  await one.close();
  await other.close();
});

test("lines of another version are passed over", () => {
  expect(wantedIn([{ want: hint("/a") }, { what: 1 }, 7, null])).toEqual([hint("/a")]);
});

test("a torn line of a crash is told of, and the rest adopted", async () => {
  await using dir = await temporary();
  const path = join(dir.path, "old.journal");
  writeFileSync(path, emitLine({ want: hint("/a") }));
  appendFileSync(path, emitLine({ want: hint("/b") }).slice(0, 20));
  const hints = await Hints.open(dir.path, silent, () => 0);
  expect(hints.durable).toBe(1);
  await hints.close();
  expect(readdirSync(dir.path).length).toBe(1);
  expect(readFileSync(join(dir.path, readdirSync(dir.path)[0] ?? ""), "utf8")).toContain('"/a"');
});
