import { expect, test } from "bun:test";

import {
  lifetime,
  refreshPause,
  retryPause,
} from "../../../../src/services/dns/secondary/schedule.ts";
import { isNewer } from "../../../../src/services/dns/secondary/soa.ts";

const SOA = { serial: 1, refresh: 3600, retry: 900, expire: 604_800 };

test.each([
  { story: "as the SOA says", soa: SOA, dice: 0, ms: 3_600_000 },
  { story: "chance takes a tenth off at most", soa: SOA, dice: 1, ms: 3_240_000 },
  { story: "not all the time", soa: { ...SOA, refresh: 0 }, dice: 0, ms: 2000 },
  { story: "once a day at least", soa: { ...SOA, refresh: 0xffff_ffff }, dice: 0, ms: 86_400_000 },
])("after an answer: $story", ({ soa, dice, ms }) => {
  expect(refreshPause(soa, dice)).toBe(ms);
});

test.each([
  { story: "as the SOA says", soa: SOA, failures: 5, ms: 900_000 },
  {
    story: "never more slowly than without a failure",
    soa: { ...SOA, retry: 7200 },
    failures: 1,
    ms: 3_600_000,
  },
  { story: "never seen: soon", soa: undefined, failures: 1, ms: 2000 },
  { story: "never seen: less soon", soa: undefined, failures: 4, ms: 16_000 },
  { story: "never seen: once a minute", soa: undefined, failures: 2000, ms: 60_000 },
])("after a failure: $story", ({ soa, failures, ms }) => {
  expect(retryPause(soa, failures, 0)).toBe(ms);
});

test("a zone lives until its primaries could have been asked twice", () => {
  expect(lifetime(SOA)).toBe(604_800_000);
  expect(lifetime({ ...SOA, expire: 0 })).toBe(4_500_000);
});

test.each([
  { a: 2, b: 1, newer: true },
  { a: 1, b: 1, newer: false },
  { a: 1, b: 2, newer: false },
  { a: 0, b: 0xffff_ffff, newer: true },
  { a: 0xffff_ffff, b: 0, newer: false },
  { a: 0x8000_0000, b: 0, newer: false },
])("serial $a comes after $b: $newer (RFC 1982)", ({ a, b, newer }) => {
  expect(isNewer(a, b)).toBe(newer);
});
