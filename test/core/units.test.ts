import { expect, test } from "bun:test";

import fc from "fast-check";

import {
  parseDuration,
  parseRate,
  parseSize,
  showDuration,
  showRate,
  showSize,
} from "../../src/core/units.ts";

test.each([
  ["250ms", 250],
  ["5s", 5000],
  ["2m", 120_000],
  ["1h", 3_600_000],
  ["7d", 604_800_000],
  ["1.5s", 1500],
  ["0", 0],
  ["0s", 0],
  ["5", undefined],
  ["5 s", undefined],
  ["5 seconds", undefined],
  ["-5s", undefined],
  ["1h30m", undefined],
  ["s", undefined],
  ["5S", undefined],
  ["", undefined],
  [`${"9".repeat(40)}d`, undefined],
])("the duration %p is %p ms", (text, ms) => expect(parseDuration(text)).toBe(ms));

test.each([
  ["512", 512],
  ["1k", 1024],
  ["1K", 1024],
  ["1kB", 1024],
  ["64MiB", 64 * 2 ** 20],
  ["100m", 100 * 2 ** 20],
  ["10g", 10 * 2 ** 30],
  ["1.5g", 1.5 * 2 ** 30],
  ["2t", 2 * 2 ** 40],
  ["7B", 7],
  ["0", 0],
  ["k", undefined],
  ["1 k", undefined],
  ["1kk", undefined],
  ["-1k", undefined],
  ["1e3", undefined],
  ["9999999999999g", undefined],
])("the size %p is %p bytes", (text, bytes) => expect(parseSize(text)).toBe(bytes));

test.each([
  ["50/s", "events", 50],
  ["30/m", "events", 0.5],
  ["36/h", "events", 0.01],
  ["10Mbit", "bits", 10_000_000],
  ["10mbit/s", "bits", 10_000_000],
  ["56kbit", "bits", 56_000],
  ["1Gbit", "bits", 1e9],
  ["20MiB/s", "bits", 20 * 2 ** 20 * 8],
] as const)("the rate %p is %p: %p per second", (text, kind, perSecond) =>
  expect(parseRate(text)).toEqual({ kind, perSecond }),
);

test.each(["50", "0/s", "50/d", "/s", "fast", "10M", "0bit", "1k/h", ""])("%p is no rate", (text) =>
  expect(parseRate(text)).toBeUndefined(),
);

test.each([
  [0, "0"],
  [250, "250ms"],
  [90_000, "90s"],
  [120_000, "2m"],
  [604_800_000, "7d"],
])("%p ms are written %p", (ms, text) => expect(showDuration(ms)).toBe(text));

test.each([
  [0, "0"],
  [1000, "1000"],
  [65_536, "64k"],
  [10 * 2 ** 30, "10g"],
])("%p bytes are written %p", (bytes, text) => expect(showSize(bytes)).toBe(text));

const whole = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

test("what is shown is read back", () => {
  fc.assert(fc.property(whole, (ms) => parseDuration(showDuration(ms)) === ms));
  fc.assert(fc.property(whole, (bytes) => parseSize(showSize(bytes)) === bytes));
  const positive = fc.oneof(
    fc.integer({ min: 1, max: 1e9 }),
    fc.double({ min: 0.001, max: 1e6, noNaN: true }),
  );
  fc.assert(
    fc.property(fc.constantFrom("events", "bits"), positive, (kind, perSecond) => {
      const read = parseRate(showRate({ kind, perSecond }));
      expect(read?.kind).toBe(kind);
      expect(read?.perSecond).toBeCloseTo(perSecond, 6);
    }),
  );
});

test("no text makes the readers throw, and what they read is a whole number", () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[\d.]{0,20}[a-zA-Z/]{0,5}$/));
  fc.assert(
    fc.property(text, (text) => {
      for (const read of [parseDuration(text), parseSize(text)])
        if (read !== undefined) expect(Number.isSafeInteger(read) && read >= 0).toBe(true);
      const rate = parseRate(text)?.perSecond;
      if (rate !== undefined) expect(rate > 0 && Number.isFinite(rate)).toBe(true);
    }),
  );
});
