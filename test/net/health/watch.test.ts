import { expect, test } from "bun:test";

import { Haste, watch } from "../../../src/net/health/watch.ts";
import { FakeClock } from "../../fake/clock.ts";

const rhythm = { interval: 1000, timeout: 200, rise: 2, fall: 3 };

/** Drives `watch` by a clock; `answers` are what its probes find, one after another. */
function begin(answers: (string | undefined)[], dice = () => 0.5) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const told: string[] = [];
  const asked: number[] = [];
  const haste = new Haste();
  const done = watch(
    () => {
      asked.push(clock.now());
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      return answer === "never" ? new Promise(() => {}) : Promise.resolve(answer);
    },
    rhythm,
    (state, why) => void told.push(`${clock.now()} ${state}${why && ` ${why}`}`),
    { clock, dice, signal: stop.signal, haste },
  );
  return { clock, stop, told, asked, done, haste };
}

test("the first verdict comes with the first good answer", async () => {
  const { clock, told } = begin([undefined]);
  await clock.advance(0);
  expect(told).toEqual(["0 up"]);
});

test("what never was up is known to be down soon, not after three intervals", async () => {
  const { clock, told } = begin(["refused"]);
  await clock.advance(1000);
  expect(told).toEqual(["400 down refused"]);
});

test("a probe that hangs is a bad one, at its timeout", async () => {
  const { clock, told } = begin([undefined, "never"]);
  await clock.advance(10_000);
  expect(told).toEqual(["0 up", "3600 down timeout"]); // 1000+200, +1000+200, +1000+200
});

test("down and up again", async () => {
  const bad = "status 503";
  const { clock, told } = begin([undefined, bad, bad, bad, bad, undefined]);
  await clock.advance(10_000);
  expect(told).toEqual(["0 up", "3000 down status 503", "6000 up"]);
});

test("a throwing probe is a bad one", async () => {
  const clock = new FakeClock();
  const told: string[] = [];
  const probe = () => {
    throw new Error("our own fault");
  };
  void watch(probe, rhythm, (state, why) => void told.push(`${state} ${why}`), {
    clock,
    dice: () => 0.5,
    signal: new AbortController().signal,
    haste: new Haste(),
  });
  await clock.advance(1000);
  expect(told).toEqual(["down our own fault"]);
});

test.each([
  { roll: 0, at: 900 },
  { roll: 0.5, at: 1000 },
  { roll: 1, at: 1100 },
])("the dice $roll put the next probe at $at", async ({ roll, at }) => {
  const { clock, asked } = begin([undefined], () => roll);
  await clock.advance(1150);
  expect(asked).toEqual([0, at]);
});

test.each([
  { story: "a good one settles it", answers: [undefined], asked: [0, 300, 1300] },
  { story: "doubt is cleared soon", answers: [undefined, "bad"], asked: [0, 300, 500, 700, 1700] },
])("whoever cannot wait gets a probe at once: $story", async ({ answers, asked }) => {
  const watching = begin([...answers]);
  await watching.clock.advance(300);
  watching.haste.hurry();
  await watching.clock.advance(1500);
  expect(watching.asked).toEqual([...asked]);
});

test("it ends at once when the signal aborts, and says nothing more", async () => {
  const { clock, stop, told, done } = begin([undefined, "refused"]);
  await clock.advance(1500);
  stop.abort();
  await done;
  await clock.advance(10_000);
  expect(told).toEqual(["0 up"]);
});
