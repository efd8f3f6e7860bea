import { expect, spyOn, test } from "bun:test";
import { existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { silent } from "../../../src/observe/log.ts";
import { Mender } from "../../../src/services/store/mender.ts";
import { FakeClock } from "../../fake/clock.ts";
import { type Rig, rig } from "./rig.ts";

const LOOK_MS = 250;
const HOUR_MS = 3_600_000;

/** A mender of the rig's files that goes by a clock of its own. */
function menderOf(it: Rig, sweeps = false) {
  const clock = new FakeClock();
  const mender = new Mender([it.shelf], it.hints, silent, { clock, wall: Date.now, sweeps });
  return { clock, mender };
}

/** What an upload to the first member has left so many hours ago. */
function leftover(it: Rig, name: string, hours: number): string {
  const directory = join(it.dir, "m0", it.shelf.common.layout.temporary(0));
  mkdirSync(directory, { recursive: true });
  const file = join(directory, name);
  writeFileSync(file, "half");
  const then = (Date.now() - hours * HOUR_MS) / 1000;
  utimesSync(file, then, then);
  return file;
}

test("it keeps a promise by itself", async () => {
  await using it = await rig();
  const away = it.members[2]!; // of three
  away.fault = "away";
  expect(await it.put("/a", "abc")).toBe("kept");
  expect(it.hints.size).toBe(1);
  away.fault = undefined;
  it.time.waits += 60_000;
  const { clock, mender } = menderOf(it);
  mender.start();
  while (it.hints.size > 0) await clock.advance(LOOK_MS);
  await mender.stop();
  expect(mender.mended).toBe(1);
});

test.each([
  { story: "so old that no upload goes on", sweeps: true, hours: 7, stays: false },
  { story: "that may be of an upload", sweeps: true, hours: 5, stays: true },
  { story: "old, where another process sweeps", sweeps: false, hours: 7, stays: true },
])("a leftover $story: stays $stays", async ({ sweeps, hours, stays }) => {
  await using it = await rig();
  const file = leftover(it, "one", hours);
  const { clock, mender } = menderOf(it, sweeps);
  mender.start();
  await clock.advance(LOOK_MS);
  await mender.stop(); // what is in hand is done
  expect(existsSync(file)).toBe(stays);
});

test("leftovers are looked for once an hour", async () => {
  await using it = await rig();
  const first = leftover(it, "first", 7);
  const { clock, mender } = menderOf(it, true);
  mender.start();
  await clock.advance(LOOK_MS);
  while (existsSync(first)) await Bun.sleep(1); // it has begun to
  const second = leftover(it, "second", 7);
  await clock.advance(HOUR_MS - LOOK_MS);
  expect(existsSync(second)).toBe(true);
  while (existsSync(second)) await clock.advance(LOOK_MS);
  expect(clock.now()).toBeGreaterThan(HOUR_MS);
  await mender.stop();
});

test("who is no more is looked for every ten seconds", async () => {
  await using it = await rig();
  using adopt = spyOn(it.hints, "adopt").mockResolvedValue();
  const { clock, mender } = menderOf(it);
  mender.start();
  await clock.advance(10_000);
  expect(adopt).toHaveBeenCalledTimes(0);
  await clock.advance(LOOK_MS);
  expect(adopt).toHaveBeenCalledTimes(1);
  await clock.advance(10_000);
  expect(adopt).toHaveBeenCalledTimes(1);
  await clock.advance(LOOK_MS);
  expect(adopt).toHaveBeenCalledTimes(2);
  await mender.stop();
});
