import { expect, test } from "bun:test";

import { Turns } from "../../src/app/turns.ts";

test("one after the other, also behind one that fails", async () => {
  const turns = new Turns();
  const diary: string[] = [];
  const work = (name: string, ms: number) => () =>
    (async () => {
      diary.push(`${name} in`);
      await Bun.sleep(ms);
      diary.push(`${name} out`);
      if (name === "b") throw new Error("b fails");
      return name;
    })();
  const all = [work("a", 5), work("b", 1), work("c", 0)].map((it) => turns.take(it));
  const results = await Promise.allSettled(all);
  expect(results.map((r) => r.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(diary).toEqual(["a in", "a out", "b in", "b out", "c in", "c out"]);
});
