import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { Metric } from "../../../src/wire/tunnel/metric.ts";
import { Path } from "../../../src/wire/tunnel/path.ts";
import { ASK, emitProbe, parseProbe, PROBE, type Probe } from "../../../src/wire/tunnel/probe.ts";

const probe = (changes: Partial<Probe> = {}): Probe => ({
  kind: 2,
  length: PROBE,
  number: 1,
  time: 0,
  sent: 0,
  received: 0,
  ...changes,
});

describe("a path", () => {
  const rules = { interval: 500, dead: 2500 };
  test("lives while something is heard", () => {
    const path = new Path(rules);
    expect(path.alive(0)).toBe(false);
    path.heard(1000);
    expect([path.alive(1000), path.alive(3499), path.alive(3500)]).toEqual([true, true, false]);
    expect(path.deadline).toBe(3500);
  });

  test("asks as often as it is told to", () => {
    const path = new Path(rules);
    const asked = Array.from({ length: 40 }, (_, i) => i * 50).filter(
      (now) => path.due(now) && path.ask(now) > 0,
    );
    expect(asked).toEqual([0, 500, 1000, 1500]);
  });

  test.each([
    { story: "nothing lost", out: 0, in: 0 },
    { story: "one in ten on the way out", out: 0.1, in: 0 },
    { story: "one in five on the way in", out: 0, in: 0.2 },
  ])("$story", ({ out, in: lost }) => {
    const path = new Path(rules);
    for (let i = 0; i < 100; i++) {
      const now = i * 500;
      const sent = i * 100;
      path.answered(
        probe({ time: now - 20, sent, received: sent * (1 - out) }),
        { sent, received: sent * (1 - lost) },
        now,
      );
    }
    expect(path.rtt).toBeCloseTo(20);
    expect(path.variation).toBeLessThan(1);
    expect(path.lossOut).toBeCloseTo(out, 3);
    expect(path.lossIn).toBeCloseTo(lost, 3);
    expect(path.score).toBeCloseTo(20 + Math.max(out, lost) * 1000, 0);
  });

  test("a peer that began anew has lost nothing, and a time that is not ours is no RTT", () => {
    const path = new Path(rules);
    path.answered(probe({ time: 0, received: 1000 }), { sent: 1000, received: 900 }, 10);
    path.answered(probe({ time: 500, received: 3 }), { sent: 1100, received: 910 }, 510);
    expect(path.lossOut).toBe(0);
    for (const time of [Number.NaN, 1e300, -1e300, 9999])
      path.answered(probe({ time }), { sent: 0, received: 0 }, 1000);
    expect(path.rtt).toBeCloseTo(10);
  });
});

describe("a metric", () => {
  const rules = { hysteresis: 0.2, hold: 10_000 };
  const rows: { story: string; scores: number[][]; told: number[] }[] = [
    { story: "the first one is told at once", scores: [[0, 20]], told: [20] },
    {
      story: "small changes are not",
      scores: [
        [0, 20],
        [1000, 23],
        [60_000, 17],
      ],
      told: [20],
    },
    {
      story: "large ones are, once they have lasted",
      scores: [
        [0, 20],
        [1000, 40],
        [10_999, 40],
        [11_000, 41],
      ],
      told: [20, 41],
    },
    {
      story: "a peak is not",
      scores: [
        [0, 20],
        [1000, 90],
        [2000, 20],
        [20_000, 90],
      ],
      told: [20],
    },
    {
      story: "nor are two, one up and one down",
      scores: [
        [0, 50],
        [1000, 90],
        [9000, 10],
        [12_000, 10],
      ],
      told: [50],
    },
    {
      story: "of short ones, two milliseconds",
      scores: [
        [0, 0.1],
        [1000, 1],
        [60_000, 1.5],
      ],
      told: [0.1],
    },
    {
      story: "what is not known says nothing",
      scores: [
        [0, Number.NaN],
        [1, 5],
        [2, Number.NaN],
      ],
      told: [5],
    },
  ];
  test.each(rows)("$story", ({ scores, told }) => {
    const metric = new Metric(rules);
    const heard = scores.flatMap(([now = 0, score = 0]) =>
      metric.consider(score, now) ? [metric.told] : [],
    );
    expect(heard).toEqual(told);
  });
});

test("a probe is read as it was written", () => {
  const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const probes = fc.record({
    kind: fc.constantFrom(1, 2),
    length: fc.integer({ min: 0, max: 65_535 }),
    number: u32,
    time: fc.double({ noNaN: true }),
    sent: u32,
    received: u32,
  });
  const buffer = new ArrayBuffer(2000);
  const memory = { bytes: new Uint8Array(buffer).fill(9), view: new DataView(buffer) };
  fc.assert(
    fc.property(probes, fc.nat(100), fc.integer({ min: PROBE, max: 1800 }), (one, at, length) => {
      emitProbe(memory, at, one, length);
      const read = probe();
      expect(parseProbe(memory, at, length, read)).toBe(true);
      expect(read).toEqual(one);
    }),
  );
  expect(parseProbe(memory, 0, PROBE - 1, probe())).toBe(false);
  emitProbe(memory, 0, { ...probe(), kind: 77 }, PROBE);
  expect(parseProbe(memory, 0, PROBE, probe())).toBe(false);
  emitProbe(memory, 0, { ...probe(), kind: ASK }, PROBE);
  expect(parseProbe(memory, 0, PROBE, probe())).toBe(true);
});
