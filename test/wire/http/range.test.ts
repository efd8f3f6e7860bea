import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import {
  contentRange,
  ifRange,
  parseRange,
  unsatisfiedRange,
} from "../../../src/wire/http/range.ts";
import { exactlyWhatIsAsked, staysInside } from "./range.properties.ts";

const HUGE = "9".repeat(400);

/** `3-5` for offset 3, length 3. */
function show(ranges: ReturnType<typeof parseRange>): string {
  if (typeof ranges === "string") return ranges;
  return ranges.map((r) => `${r.offset}-${r.offset + r.length - 1}`).join(" ");
}

describe("of 100 bytes, at most 5 ranges", () => {
  test.each([
    { story: "no field", header: null, is: "ignore" },
    { story: "the first", header: "bytes=0-0", is: "0-0" },
    { story: "a run", header: "bytes=10-19", is: "10-19" },
    { story: "the last byte by number", header: "bytes=99-99", is: "99-99" },
    { story: "open", header: "bytes=90-", is: "90-99" },
    { story: "all", header: "bytes=0-", is: "0-99" },
    { story: "beyond the end", header: "bytes=90-1000", is: "90-99" },
    { story: "suffix", header: "bytes=-7", is: "93-99" },
    { story: "suffix longer than all", header: "bytes=-1000", is: "0-99" },
    { story: "empty suffix", header: "bytes=-0", is: "unsatisfiable" },
    { story: "from the end on", header: "bytes=100-", is: "unsatisfiable" },
    { story: "far beyond", header: "bytes=200-300", is: "unsatisfiable" },
    { story: "two", header: "bytes=0-1,5-6", is: "0-1 5-6" },
    { story: "in the order asked", header: "bytes=50-59,0-9", is: "50-59 0-9" },
    { story: "spaces around commas", header: "bytes=0-1 ,\t5-6", is: "0-1 5-6" },
    { story: "empty elements", header: "bytes=,0-1,,5-6,", is: "0-1 5-6" },
    { story: "one unsatisfiable of two", header: "bytes=0-1,200-", is: "0-1" },
    { story: "all unsatisfiable", header: "bytes=100-,-0", is: "unsatisfiable" },
    { story: "overlapping", header: "bytes=0-10,5-20", is: "0-20" },
    { story: "touching", header: "bytes=0-4,5-9", is: "0-9" },
    { story: "one inside another", header: "bytes=0-50,10-20", is: "0-50" },
    { story: "the same thrice", header: "bytes=0-,0-,0-", is: "0-99" },
    { story: "overlap sorts the rest", header: "bytes=90-,50-60,55-70", is: "50-70 90-99" },
    { story: "five", header: "bytes=0-0,2-2,4-4,6-6,8-8", is: "0-0 2-2 4-4 6-6 8-8" },
    { story: "six", header: "bytes=0-0,2-2,4-4,6-6,8-8,10-10", is: "ignore" },
    {
      story: "six, though most lead nowhere",
      header: "bytes=0-0,200-,200-,200-,200-,200-",
      is: "ignore",
    },
    { story: "unit in capitals", header: "BYTES=0-0", is: "0-0" },
    { story: "another unit", header: "items=0-0", is: "ignore" },
    { story: "a longer unit", header: "xbytes=0-0", is: "ignore" },
    { story: "space before =", header: "bytes =0-0", is: "ignore" },
    { story: "nothing asked", header: "bytes=", is: "ignore" },
    { story: "only commas", header: "bytes=,,", is: "ignore" },
    { story: "no =", header: "bytes 0-0", is: "ignore" },
    { story: "backwards", header: "bytes=5-4", is: "ignore" },
    { story: "one backwards of two", header: "bytes=0-1,5-4", is: "ignore" },
    { story: "only a dash", header: "bytes=-", is: "ignore" },
    { story: "two dashes", header: "bytes=--1", is: "ignore" },
    { story: "no dash", header: "bytes=5", is: "ignore" },
    { story: "dash in the next one only", header: "bytes=5,1-2", is: "ignore" },
    { story: "space inside", header: "bytes=0 -5", is: "ignore" },
    { story: "sign", header: "bytes=+0-5", is: "ignore" },
    { story: "hex", header: "bytes=0x0-5", is: "ignore" },
    { story: "fraction", header: "bytes=0.5-5", is: "ignore" },
    { story: "other digits", header: "bytes=٠-٥", is: "ignore" },
    { story: "leading zeros are decimal", header: "bytes=010-011", is: "10-11" },
    { story: "2^64 as last", header: "bytes=98-18446744073709551616", is: "98-99" },
    { story: "2^64 as first", header: "bytes=18446744073709551616-", is: "unsatisfiable" },
    { story: "400 digits as last", header: `bytes=0-${HUGE}`, is: "0-99" },
    { story: "400 digits as suffix", header: `bytes=-${HUGE}`, is: "0-99" },
    { story: "400 digits twice", header: `bytes=${HUGE}-${HUGE}`, is: "unsatisfiable" },
  ])("$story: $header", ({ header, is }) => {
    expect(show(parseRange(header, 100, 5))).toBe(is);
  });

  test("an empty file is always answered whole", () => {
    for (const header of ["bytes=0-", "bytes=-5", "bytes=0-0"])
      expect(parseRange(header, 0, 5)).toBe("ignore");
  });

  test("Content-Range", () => {
    expect(contentRange({ offset: 10, length: 5 }, 100)).toBe("bytes 10-14/100");
    expect(unsatisfiedRange(100)).toBe("bytes */100");
  });

  test("exactly the bytes asked for, each once", () => {
    fc.assert(exactlyWhatIsAsked);
  });
  test("any text stays within the file", () => {
    fc.assert(staysInside);
  });
});

describe("If-Range, of a file tagged a, changed at noon and 789 ms", () => {
  const noon = Date.UTC(2024, 0, 1, 12);
  test.each([
    { story: "absent", header: null, stands: true },
    { story: "its tag", header: '"a"', stands: true },
    { story: "another", header: '"b"', stands: false },
    { story: "its tag, weak", header: 'W/"a"', stands: false },
    { story: "a list is no validator", header: '"a", "b"', stands: false },
    { story: "exactly its date", header: "Mon, 01 Jan 2024 12:00:00 GMT", stands: true },
    { story: "the same moment in another form", header: "Mon Jan  1 12:00:00 2024", stands: true },
    { story: "a later date is another", header: "Mon, 01 Jan 2024 12:00:01 GMT", stands: false },
    { story: "an earlier date", header: "Mon, 01 Jan 2024 11:59:59 GMT", stands: false },
    { story: "no date", header: "noon", stands: false },
    { story: "empty", header: "", stands: false },
    { story: "a star", header: "*", stands: false },
  ])("$story: $header", ({ header, stands }) => {
    expect(ifRange(header, '"a"', noon + 789)).toBe(stands);
  });

  test("a weak tag of ours proves nothing about bytes", () => {
    expect(ifRange('W/"a"', 'W/"a"', undefined)).toBe(false);
    expect(ifRange('"a"', undefined, undefined)).toBe(false);
    expect(ifRange("Mon, 01 Jan 2024 12:00:00 GMT", undefined, undefined)).toBe(false);
  });
});
