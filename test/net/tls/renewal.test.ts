import { describe, expect, test } from "bun:test";

import { renewalTime, retryDelay } from "../../../src/net/tls/renewal.ts";

const MINUTE = 60_000;

test.each([
  { story: "at two thirds of its life", dice: 0, at: 60 },
  { story: "or up to a twentieth of it earlier", dice: 1, at: 55.5 },
])("$story", ({ dice, at }) => {
  expect(renewalTime({ notBefore: 1000, notAfter: 1090 }, dice) - 1000).toBeCloseTo(at);
});

describe("patience grows", () => {
  test.each([
    { failures: 1, minutes: 1 },
    { failures: 2, minutes: 3 },
    { failures: 4, minutes: 27 },
    { failures: 9, minutes: 360 },
    { failures: 1000, minutes: 360 },
  ])("after $failures failures $minutes minutes", ({ failures, minutes }) => {
    expect(retryDelay(failures, 0.5)).toBeCloseTo(minutes * MINUTE);
    expect(retryDelay(failures, 0)).toBeCloseTo(minutes * MINUTE * 0.75);
    expect(retryDelay(failures, 1)).toBeCloseTo(minutes * MINUTE * 1.25);
  });
});
