import { expect, test } from "bun:test";

import { enough } from "../../../src/services/store/enough.ts";

const never = new Promise<boolean>(() => {});

test.each([
  { story: "one of three never ends", ends: [true, true, "never"], least: 2 },
  { story: "all have ended, none well", ends: [false, false, false], least: 2 },
  { story: "all have ended, too few well", ends: [true, false], least: 2 },
  { story: "all are needed, and have ended", ends: [true, true], least: 2 },
  { story: "one is enough, and the others never end", ends: ["never", true, "never"], least: 1 },
  { story: "there is nobody", ends: [], least: 1 },
] as const)("$story: nobody waits any more", async ({ ends, least }) => {
  await enough(
    ends.map((end) => (end === "never" ? never : Promise.resolve(end))),
    least,
  );
});

test.each([
  { story: "one of two that are needed", ends: [true], least: 2 },
  { story: "one well, one not, of two that are needed", ends: [true, false], least: 2 },
  { story: "none", ends: [], least: 1 },
])("$story has ended, and another one has not: that one is waited for", async ({ ends, least }) => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  let over = false;
  const all = enough([...ends.map((end) => Promise.resolve(end)), promise], least).then(() => {
    over = true;
  });
  await Bun.sleep(1);
  expect(over).toBe(false);
  resolve(true);
  await all;
});
