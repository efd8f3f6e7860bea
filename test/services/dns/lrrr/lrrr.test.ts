/** Two servers, a resolver between them, and what strangers try. */
import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import {
  emitLeg,
  type Leg,
  type Mark,
  parseLeg,
  STAMP_MODULUS,
} from "../../../../src/services/dns/lrrr/leg.ts";
import { Pairs } from "../../../../src/services/dns/lrrr/pairs.ts";
import { Seal } from "../../../../src/services/dns/lrrr/seal.ts";
import { lowerWire } from "../names/ask.ts";
import { resolve, World } from "./resolver.ts";

const LEFT = "10.0.0.1";
const RIGHT = "10.0.0.2";

describe("the nearer side wins", () => {
  test.each([
    { left: 20, right: 80, asks: "left", wins: LEFT, legs: 6 },
    { left: 20, right: 80, asks: "right", wins: LEFT, legs: 5 },
    { left: 80, right: 20, asks: "left", wins: RIGHT, legs: 5 },
    { left: 80, right: 20, asks: "right", wins: RIGHT, legs: 6 },
    { left: 0, right: 1, asks: "left", wins: LEFT, legs: 6 },
    { left: 1, right: 0, asks: "left", wins: RIGHT, legs: 5 },
    { left: 200, right: 199, asks: "right", wins: RIGHT, legs: 6 },
    { left: 900, right: 30, asks: "left", wins: RIGHT, legs: 5 },
  ] as const)("$left and $right ms, asking $asks", ({ left, right, asks, wins, legs }) => {
    const { address, asked } = resolve(new World(), "ga.i.test.", { left, right, asks });
    expect(address).toBe(wins);
    expect(asked.length).toBe(legs); // the side that begins is told the end of it
  });

  test("clocks that differ by a minute do not matter", () => {
    for (const skew of [-60_000, -2000, 2000, 60_000]) {
      const { address } = resolve(new World({ skew }), "ga.i.test.", {
        left: 20,
        right: 80,
        asks: "left",
      });
      expect(address).toBe(LEFT);
    }
  });

  test("any pair of distances, either side asked: the nearer one, within eight questions", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1000 }),
        fc.integer({ min: 0, max: 1000 }),
        fc.constantFrom("left" as const, "right" as const),
        fc.integer({ min: -200_000, max: 200_000 }),
        (left, right, asks, skew) => {
          fc.pre(Math.abs(left - right) > 1); // clocks are read in whole milliseconds
          const world = new World({ skew });
          const { address, asked } = resolve(world, "ga.i.test.", { left, right, asks });
          expect(address).toBe(left < right ? LEFT : RIGHT);
          expect(asked.length).toBeLessThanOrEqual(8);
          expect(resolve(world, "ga.i.test.", { left, right, asks }).address).toBe(address!);
        },
      ),
    );
  });
});

describe("what is remembered", () => {
  test("the second question is answered by one leg, when the side asked knows both", () => {
    const world = new World();
    const ways = { left: 20, right: 80, asks: "left" } as const;
    expect(resolve(world, "ga.i.test.", ways).ttls.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
    const again = resolve(world, "ga.i.test.", ways);
    expect([again.address, again.asked.length, again.ttls]).toEqual([LEFT, 1, [100]]);
  });

  test("a side that was only asked for its own half asks the other for its", () => {
    const world = new World();
    const ways = { left: 80, right: 20, asks: "left" } as const;
    resolve(world, "ga.i.test.", ways);
    const again = resolve(world, "ga.i.test.", ways);
    expect([again.address, again.asked.length]).toEqual([RIGHT, 2]);
  });

  test("a network is one resolver; another one is measured by itself", () => {
    const world = new World();
    const near = { left: 20, right: 80, asks: "left" } as const;
    resolve(world, "ga.i.test.", { ...near, from: "192.0.2.1" });
    expect(resolve(world, "ga.i.test.", { ...near, from: "192.0.2.200" }).asked).toHaveLength(1);
    const far = resolve(world, "ga.i.test.", {
      left: 80,
      right: 20,
      asks: "left",
      from: "198.51.100.1",
    });
    expect(far.address).toBe(RIGHT);
    expect(far.asked.length).toBeGreaterThan(2);
  });

  test("after its time it is measured anew", () => {
    const world = new World({ ttl: 60_000 });
    const ways = { left: 20, right: 80, asks: "left" } as const;
    resolve(world, "ga.i.test.", ways);
    world.now += 60_000;
    const moved = resolve(world, "ga.i.test.", { ...ways, left: 80, right: 20 });
    expect(moved.address).toBe(RIGHT);
  });

  test("the table has an end", () => {
    const pairs = new Pairs(1000);
    for (let i = 0; i < 70_000; i++)
      pairs.learn(Uint8Array.of(10 + (i >> 16), i >> 8, i), { own: 1 }, 0);
    expect(pairs.size).toBe(65_536);
    expect(pairs.get(Uint8Array.of(10, 0, 0), 0)).toBeUndefined();
    expect(pairs.get(Uint8Array.of(11, 0, 0), 0)?.own).toBe(1);
  });

  test("IPv6 resolvers too", () => {
    const world = new World();
    const ways = { left: 80, right: 20, asks: "right", from: "2001:db8::53" } as const;
    expect(resolve(world, "ga.i.test.", ways).address).toBe(RIGHT);
    expect([world.left.networks, world.right.networks]).toEqual([1, 1]);
  });
});

describe("what goes wrong on the way", () => {
  test("a farm that asks each leg from another network still comes to the nearer side", () => {
    const world = new World();
    const from = (leg: number) => `198.51.${leg}.1`;
    const { address } = resolve(world, "ga.i.test.", { left: 80, right: 20, asks: "left", from });
    expect(address).toBe(RIGHT);
    expect([world.left.networks, world.right.networks]).toEqual([0, 0]); // of no network was it learnt
  });

  test("a lost packet is no distance: the way ends, on the side that was asked", () => {
    const world = new World();
    const before = (leg: number) => void (leg === 2 && (world.now += 5000));
    const { address, asked } = resolve(world, "ga.i.test.", {
      left: 80,
      right: 20,
      asks: "left",
      before,
    });
    expect([address, asked.length]).toEqual([LEFT, 3]);
    expect(world.left.networks).toBe(0);
  });

  test("an answer that was lost on its way back does not make the side look far", () => {
    const world = new World();
    const first = resolve(world, "ga.i.test.", { left: 20, right: 80, asks: "left" });
    const measured = first.asked[2] ?? "";
    world.now += 400; // the resolver asks again for what it has not heard
    world.left.ask(measured, "192.0.2.53");
    expect(resolve(world, "ga.i.test.", { left: 20, right: 80, asks: "left" }).address).toBe(LEFT);
  });

  test("0x20: names in whatever case", () => {
    const world = new World();
    let next = "gA.i.TeSt.";
    for (let leg = 0; leg < 8; leg++) {
      const side = next.toLowerCase().endsWith(".r.test.") ? world.right : world.left;
      world.now += side === world.left ? 20 : 80;
      const mixed = [...next].map((c, i) => (i % 2 === leg % 2 ? c.toUpperCase() : c)).join("");
      const { answers } = side.ask(mixed, "192.0.2.53");
      const address = answers.find((one) => one.startsWith("A "));
      if (address !== undefined) {
        expect(address).toBe(`A ${LEFT}`);
        return;
      }
      next = answers[0]?.slice("CNAME ".length) ?? "";
    }
    expect("the way").toBe("over by now");
  });

  test.each(["A", "AAAA", "HTTPS", "MX"])("a question for %s goes the same way", (type) => {
    const { answers, ttl } = new World().left.ask("ga.i.test.", "192.0.2.53", type);
    expect(answers).toHaveLength(1);
    expect(answers[0]).toMatch(/^CNAME lr-n-n-1.*\.ga\.l\.test\.$/);
    expect(ttl).toBe(0);
  });
});

describe("strangers", () => {
  const after = (tried: (world: World) => void) => {
    const world = new World();
    tried(world);
    const known = [world.left.networks, world.right.networks];
    const { address } = resolve(world, "ga.i.test.", { left: 20, right: 80, asks: "left" });
    return [...known, address];
  };

  test.each([
    { story: "3nsd's own form", label: "lr-134744072-0-5-9" },
    { story: "no signature", label: "lr-r0-rzz-10-aaaaa" },
    { story: "a made-up one", label: "lr-r0-rzz-1tqo2o0-aaaaa-0000000000000000" },
    { story: "nothing but the prefix", label: "lr-" },
    { story: "a label full of noise", label: `lr-${"-".repeat(60)}` },
    { story: "no number", label: "lr-rx!-r9-10-aaaaa-0000000000000000" },
  ])("$story: an answer, and nothing is believed", ({ label }) => {
    const world = new World();
    const told = world.left.ask(`${label.replaceAll("!", "\\033")}.ga.l.test.`, "192.0.2.53");
    expect(told.answers).toEqual(["CNAME ga.l.test.", `A ${LEFT}`]);
    expect(world.left.networks).toBe(0);
    expect(after((it) => it.left.ask(`${label}.ga.l.test.`, "192.0.2.53"))).toEqual([0, 0, LEFT]);
  });

  test("a true label, sent in another's name, teaches nothing", () => {
    const own = new World();
    const mine = resolve(own, "ga.i.test.", {
      left: 900,
      right: 1,
      asks: "left",
      from: "203.0.113.1",
    });
    const label = mine.asked[3] ?? ""; // says that left is 900 ms away
    expect(label).toMatch(/^lr-rp0-n-/);
    expect(after((world) => world.right.ask(label, "192.0.2.53"))).toEqual([0, 0, LEFT]);
  });

  test("a label of another host, of another secret, of another day", () => {
    const world = new World({ hosts: ["ga", "gb"] });
    const [, label = ""] = resolve(world, "ga.i.test.", { left: 1, right: 2, asks: "left" }).asked;
    const seen = world.left.networks;
    const arrives = (name: string) => world.left.ask(name, "198.51.100.1").answers[0] ?? "";
    expect(arrives(label)).toMatch(/^CNAME lr-s/); // it is good so far
    expect(arrives(label.replace(".ga.", ".gb."))).toBe("CNAME gb.l.test.");
    world.now += 301_000;
    expect(arrives(label)).toBe("CNAME ga.l.test.");
    expect(world.left.networks).toBe(seen);
    const others = new World({ secrets: ["sesame", "thyme"] });
    const { address } = resolve(others, "ga.i.test.", { left: 20, right: 80, asks: "left" });
    expect(address).toBe(RIGHT); // the other side does not believe ours: whoever comes there stays
  });

  test("names that are not here are not ours", () => {
    const { left } = new World();
    for (const name of [
      "nothere.i.test.",
      "lr-n-n.nothere.l.test.",
      "lrfoo.x.",
      "i.test.",
      "l.test.",
      "ga.l.test.",
    ])
      expect(left.ask(name, "192.0.2.53").handled).toBe(false);
  });

  test("any label at all gets an answer, and no more than that", () => {
    const world = new World();
    const label = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 55 });
    fc.assert(
      fc.property(label, (bytes) => {
        const text = bytes.map((byte) => `\\${String(byte).padStart(3, "0")}`).join("");
        const { answers } = world.left.ask(`lr-${text}.ga.l.test.`, "192.0.2.53");
        expect(answers[0]).toBe("CNAME ga.l.test.");
        expect(world.left.networks).toBe(0);
      }),
    );
  });
});

describe("labels", () => {
  const mark: fc.Arbitrary<Mark> = fc.oneof(
    fc.constant<Mark>({ kind: "none" }),
    fc.record({
      kind: fc.constant("start" as const),
      at: fc.integer({ min: 0, max: STAMP_MODULUS - 1 }),
    }),
    fc.record({ kind: fc.constant("rtt" as const), ms: fc.integer({ min: 0, max: 3000 }) }),
  );
  const leg: fc.Arbitrary<Leg> = fc.record({
    left: mark,
    right: mark,
    count: fc.integer({ min: 1, max: 9 }),
    issued: fc.integer({ min: 0, max: 2 ** 32 }),
    tag: fc.constant("abcde"),
  });

  test("what is written is read back, and fits a label with the longest prefix", () => {
    const seal = new Seal("sesame");
    const host = lowerWire("ga");
    fc.assert(
      fc.property(leg, (one) => {
        expect(parseLeg(emitLeg(one))).toEqual(one);
        const label = seal.close(one, host);
        expect(`prefix00-${label}`.length).toBeLessThanOrEqual(63);
        expect(seal.open(label, host)).toEqual(one);
        expect(seal.open(label, lowerWire("gb"))).toBeUndefined();
        expect(new Seal("other").open(label, host)).toBeUndefined();
      }),
    );
  });

  test("any change of a label spoils it", () => {
    const seal = new Seal("sesame");
    const host = lowerWire("ga");
    const label = seal.close(
      {
        left: { kind: "rtt", ms: 40 },
        right: { kind: "none" },
        count: 2,
        issued: 1_800_000_000,
        tag: "abcde",
      },
      host,
    );
    for (let i = 0; i < label.length; i++) {
      const other = label[i] === "0" ? "1" : "0";
      expect(seal.open(label.slice(0, i) + other + label.slice(i + 1), host)).toBeUndefined();
    }
  });

  test.each([
    "",
    "n-n",
    "n-n-1",
    "n-n-0aa-abcde",
    "n-n-1aa-abcd",
    "n-n-1aa-abcde-x",
    "r-n-1aa-abcde",
    "r01-n-1aa-abcde",
    "q1-n-1aa-abcde",
    "rzzzzzzzz-n-1aa-abcde",
  ])("not a leg: %s", (text) => expect(parseLeg(text)).toBeUndefined());
});
