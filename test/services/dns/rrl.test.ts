import { describe, expect, test } from "bun:test";

import { DROP, PASS, ResponseLimiter, SLIP } from "../../../src/services/dns/rrl.ts";

const v4 = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const v6 = (last: number, net = 0): Uint8Array =>
  Uint8Array.from([0x20, 1, 0xd, 0xb8, 0, 0, net, 0, 0, 0, 0, 0, 0, 0, 0, last]);
const WWW = 0x1234;
const MAIL = 0x4321;

/** What `count` answers at one moment come to: how many passed, slipped, were dropped. */
function flood(limiter: ResponseLimiter, client: Uint8Array, count: number, now: number) {
  const seen = { [PASS]: 0, [DROP]: 0, [SLIP]: 0 };
  for (let i = 0; i < count; i++) seen[limiter.check(client, WWW, now) as 0 | 1 | 2]++;
  return [seen[PASS], seen[SLIP], seen[DROP]];
}

describe("a flood", () => {
  test.each([
    { slip: 0, story: "none slips", out: [10, 0, 90] },
    { slip: 1, story: "all slip", out: [10, 90, 0] },
    { slip: 2, story: "every other slips", out: [10, 45, 45] },
    { slip: 3, story: "every third slips", out: [10, 30, 60] },
  ])("of 100 at 10/s, slip $slip: $story", ({ slip, out }) => {
    expect(
      flood(new ResponseLimiter({ perSecond: 10, slip }, 7), v4(192, 0, 2, 1), 100, 5000),
    ).toEqual([...out]);
  });

  test("is over when it is over: so many per second, and no more at once than in a second", () => {
    const limiter = new ResponseLimiter({ perSecond: 10, slip: 0 }, 7);
    const client = v4(192, 0, 2, 1);
    expect(flood(limiter, client, 20, 0)).toEqual([10, 0, 10]);
    expect(flood(limiter, client, 20, 99)).toEqual([0, 0, 20]);
    expect(flood(limiter, client, 20, 200)).toEqual([2, 0, 18]);
    expect(flood(limiter, client, 20, 60_000)).toEqual([10, 0, 10]);
  });
});

describe("who is limited with whom", () => {
  test.each([
    { story: "a /24 is one", a: v4(192, 0, 2, 1), b: v4(192, 0, 2, 200), one: true },
    { story: "another /24 is another", a: v4(192, 0, 2, 1), b: v4(192, 0, 3, 1), one: false },
    { story: "a /56 is one", a: v6(1), b: v6(9), one: true },
    { story: "another /56 is another", a: v6(1), b: v6(1, 1), one: false },
  ])("$story", ({ a, b, one }) => {
    const limiter = new ResponseLimiter({ perSecond: 1, slip: 0 }, 7);
    expect(limiter.check(a, WWW, 0)).toBe(PASS);
    expect(limiter.check(b, WWW, 0)).toBe(one ? DROP : PASS);
  });

  test("another kind of answer has a limit of its own", () => {
    const limiter = new ResponseLimiter({ perSecond: 1, slip: 0 }, 7);
    const client = v4(192, 0, 2, 1);
    expect([WWW, WWW, MAIL].map((what) => limiter.check(client, what, 0))).toEqual([
      PASS,
      DROP,
      PASS,
    ]);
  });

  test("very many networks do not make it forget the one that floods now", () => {
    const limiter = new ResponseLimiter({ perSecond: 10, slip: 0 }, 7);
    const client = v4(192, 0, 2, 1);
    flood(limiter, client, 1000, 0);
    for (let i = 0; i < 20_000; i++) limiter.check(v4(10, i >> 8, i & 255, 1), WWW, 0);
    expect(limiter.check(client, WWW, 1)).toBe(DROP);
  });
});
