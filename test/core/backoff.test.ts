import { expect, test } from "bun:test";

import { backoff, failedAgain } from "../../src/core/backoff.ts";

const rules = { first: 100, most: 30_000, calm: 60_000 };

test.each([
  { story: "a first failure is soon forgotten", failures: 1, wait: 100 },
  { story: "it doubles", failures: 2, wait: 200 },
  { story: "and again", failures: 5, wait: 1600 },
  { story: "up to the most", failures: 10, wait: 30_000 },
  { story: "also after a thousand", failures: 1000, wait: 30_000 },
])("$story", ({ failures, wait }) => {
  expect(backoff(failures, rules)).toBe(wait);
});

test.each([
  { story: "at once again", before: 3, lived: 50, after: 4 },
  { story: "not yet calm", before: 3, lived: 59_999, after: 4 },
  { story: "calm: a first one again", before: 3, lived: 60_000, after: 1 },
])("$story: after $lived ms", ({ before, lived, after }) => {
  expect(failedAgain(before, lived, rules)).toBe(after);
});
