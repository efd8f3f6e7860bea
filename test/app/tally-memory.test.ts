import { expect, test } from "bun:test";
import { closeSync, fstatSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

import { isTallyMemory, talliesIn, tallyMemory } from "../../src/app/tally-memory.ts";
import { LAYOUT, TALLY_BYTES } from "../../src/core/tally-table.ts";
import { makeShared } from "../../src/sys/shared-memory.ts";
import { memoryLog } from "../fake/log.ts";
import { temporary } from "../fake/temporary.ts";

const log = memoryLog();

test("memory that is handed over is gone on with, in use or not", () => {
  const memory = tallyMemory(undefined, log) ?? -1;
  expect(isTallyMemory(memory)).toBe(true);
  expect(tallyMemory(memory, log)).toBe(memory);
  const count = talliesIn(memory, 1).count("clients");
  expect([count.take(1), count.take(1)]).toEqual([true, false]);
  expect(tallyMemory(memory, log)).toBe(memory);
  closeSync(memory);
});

test("memory of another version is given back, and made anew", () => {
  const other = makeShared("test", TALLY_BYTES);
  writeSync(other, Int32Array.of(LAYOUT + 1));
  const memory = tallyMemory(other, log) ?? -1;
  expect(isTallyMemory(memory)).toBe(true);
  closeSync(memory);
});

test("a descriptor of something else is not taken for it", async () => {
  await using dir = await temporary();
  const fd = openSync(join(dir.path, "file"), "w+");
  expect([isTallyMemory(fd), fstatSync(fd).size]).toEqual([false, 0]);
  closeSync(fd);
});
