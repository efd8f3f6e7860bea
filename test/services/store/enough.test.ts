import { expect, test } from "bun:test";

import { enough } from "../../../src/services/store/enough.ts";
import { FakeClock } from "../../fake/clock.ts";

const never = new Promise<boolean>(() => {});

/** Tasks that end well or badly after so many milliseconds, or never; `waited`: for how long they are waited for. */
async function waited(
  tasks: readonly (readonly [after: number, well: boolean])[],
  least: number,
): Promise<number> {
  const clock = new FakeClock();
  const all = tasks.map(async ([after, well]) => {
    if (after === Infinity) return never;
    await clock.sleep(after, new AbortController().signal);
    return well;
  });
  let end = Infinity;
  const over = enough(all, least, clock).then(() => void (end = clock.now()));
  await clock.advance(100_000);
  if (end < Infinity) await over;
  return end;
}

test.each([
  { story: "there is nobody", tasks: [], least: 1, ms: 0 },
  {
    story: "all have ended, none well",
    tasks: [
      [1, false],
      [2, false],
      [3, false],
    ],
    least: 2,
    ms: 3,
  },
  {
    story: "all have ended, too few well",
    tasks: [
      [1, true],
      [2, false],
    ],
    least: 2,
    ms: 2,
  },
  {
    story: "all are needed, and have ended",
    tasks: [
      [1, true],
      [2, true],
    ],
    least: 2,
    ms: 2,
  },
  {
    story: "all are needed, and one takes its time",
    tasks: [
      [1, true],
      [9000, true],
    ],
    least: 2,
    ms: 9000,
  },
  {
    story: "one that is needed after others failed",
    tasks: [
      [1, false],
      [1, true],
      [9000, true],
    ],
    least: 2,
    ms: 9000,
  },
  {
    story: "one that is needed never ends",
    tasks: [
      [1, true],
      [Infinity, true],
    ],
    least: 2,
    ms: Infinity,
  },
  {
    story: "the last one is not much later",
    tasks: [
      [1, true],
      [2, true],
      [40, true],
    ],
    least: 2,
    ms: 40,
  },
  {
    story: "one never ends: a moment",
    tasks: [
      [1, true],
      [2, true],
      [Infinity, true],
    ],
    least: 2,
    ms: 252,
  },
  {
    story: "one never ends: four times what the others took",
    tasks: [
      [100, true],
      [1000, true],
      [Infinity, true],
    ],
    least: 2,
    ms: 5000,
  },
  {
    story: "one never ends, the others were slow: a stall",
    tasks: [
      [2000, true],
      [3000, true],
      [Infinity, true],
    ],
    least: 2,
    ms: 8000,
  },
  {
    story: "one is enough, and the others never end",
    tasks: [
      [Infinity, true],
      [3, true],
      [Infinity, true],
    ],
    least: 1,
    ms: 253,
  },
] as { story: string; tasks: [number, boolean][]; least: number; ms: number }[])(
  "$story: $ms ms",
  async ({ tasks, least, ms }) => {
    expect(await waited(tasks, least)).toBe(ms);
  },
);
