import { expect, test } from "bun:test";
import { join } from "node:path";

import { find } from "../../../src/services/store/find.ts";
import { Haste } from "../../../src/services/store/haste.ts";
import { MemberError } from "../../../src/services/store/members/member.ts";
import { openToRead } from "../../../src/services/store/read.ts";
import { Verified } from "../../../src/services/store/verified.ts";
import { FakeClock } from "../../fake/clock.ts";
import { type Rig, rig } from "./rig.ts";

/** Whether another one is asked when the first has not answered for so long, after reads that took `lately`. */
async function asks(lately: readonly number[], waits: number): Promise<boolean> {
  const clock = new FakeClock();
  const haste = new Haste(clock);
  const one = async (): Promise<boolean> => {
    let asked = false;
    const own = Promise.withResolvers<string>();
    const given = haste.sooner(
      1000,
      () => own.promise,
      () => void (asked = true),
      () => true,
    );
    await clock.advance(waits);
    own.resolve("own");
    await given;
    return asked;
  };
  for (const took of lately) {
    const own = Promise.withResolvers<string>();
    const given = haste.sooner(
      1000,
      () => own.promise,
      () => undefined,
      () => true,
    );
    await clock.advance(took);
    own.resolve("own");
    await given;
  }
  return one();
}

const QUICK = Array.from({ length: 16 }, () => 2);

test.each([
  { story: "nothing is known, and it is not slow", lately: [], waits: 140, asked: false },
  { story: "nothing is known, and it is slow", lately: [], waits: 150, asked: true },
  { story: "all were quick, and it is not worth the work", lately: QUICK, waits: 19, asked: false },
  { story: "all were quick, and this one is not", lately: QUICK, waits: 20, asked: true },
  {
    story: "as slow as one in four was",
    lately: QUICK.map((ms, i) => (i % 4 === 0 ? 80 : ms)),
    waits: 79,
    asked: false,
  },
  {
    story: "slower than that",
    lately: QUICK.map((ms, i) => (i % 4 === 0 ? 80 : ms)),
    waits: 80,
    asked: true,
  },
  {
    story: "where all are slow a second is slow",
    lately: QUICK.map(() => 3000),
    waits: 1000,
    asked: true,
  },
])("another one is asked: $story", async ({ lately, waits, asked }) => {
  expect(await asks(lately, waits)).toBe(asked);
});

test.each([
  { story: "the second is first", own: undefined, second: "good", given: "second good" },
  { story: "the first is first", own: "good", second: undefined, given: "own good" },
  { story: "the second is wrong", own: "good", second: "bad", given: "own good" },
  { story: "the first fails", own: "bad", second: undefined, given: "own bad" },
])("of two: $story", async ({ own, second, given }) => {
  const clock = new FakeClock();
  const haste = new Haste(clock);
  const first = Promise.withResolvers<string>();
  const other = Promise.withResolvers<string>();
  let givenUp = false;
  const got = haste.sooner(
    1000,
    () => first.promise,
    () => ({ tried: other.promise, giveUp: () => (givenUp = true) }),
    (one) => one.endsWith("good"),
  );
  await clock.advance(150);
  if (second !== undefined) other.resolve(`second ${second}`);
  await clock.advance(1);
  if (own !== undefined) first.resolve(`own ${own}`);
  expect(await got).toBe(given);
  expect(givenUp).toBe(given !== "second good");
  expect(haste.figures).toEqual({ asked: 1, won: given === "second good" ? 1 : 0 });
});

test.each([
  { story: "who is known to have it", knows: 2 },
  { story: "who may have it", knows: 1 },
])("a copy that is stuck is read on in that of another: $story", async ({ knows }) => {
  await using it = await rig();
  const body = Buffer.alloc(3 * 2 ** 20 + 5, "abcdefg");
  expect(await it.put("/a", body)).toBe("kept");
  const name = it.name("/a");
  const found = await find(it.shelf, name, { all: true });
  if (found.kind !== "found" || found.version.kind !== "file") throw new Error(found.kind);
  const [first, ...others] = found.seats;
  const stuck = it.members.find(({ id }) => id === first?.id);
  if (first === undefined || stuck === undefined) throw new Error("nobody has it");
  stuck.fault = "stuck";
  const seats = [first, ...others].slice(0, knows);
  const read = new Verified(it.shelf, name, found.version, seats);
  const got = await Array.fromAsync(read.bytes(0, body.length));
  read.close();
  expect(body.equals(Buffer.concat(got))).toBe(true);
  // Nobody waited until it counted as away.
  expect(first.figures()).toMatchObject({ up: true, failures: 0 });
  expect(it.shelf.haste.figures).toEqual({ asked: 1, won: 1 });
});

test("whoever leaves while it is read blames nobody", async () => {
  await using it = await rig();
  expect(await it.put("/a", Buffer.alloc(3 * 2 ** 20))).toBe("kept");
  const body = await openBody(it);
  const bytes = body.bytes(0, 3 * 2 ** 20);
  await bytes.next();
  for (const member of it.members) member.fault = "stuck";
  const next = bytes.next().catch((error: unknown) => error);
  await Bun.sleep(1);
  body.close();
  for (const member of it.members) member.fault = undefined;
  await Promise.race([next, Bun.sleep(10)]);
  for (const seat of it.shelf.seats) expect(seat.figures().failures).toBe(0);
});

async function openBody(it: Rig) {
  const opened = await openToRead(it.shelf, it.name("/a"), () => 0);
  if (opened.kind !== "open") throw new MemberError("failed", join("/a", opened.kind));
  return opened.body;
}
