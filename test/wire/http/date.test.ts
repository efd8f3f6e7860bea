import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { DATE_LENGTH, formatDate, parseDate } from "../../../src/wire/http/date.ts";

/** RFC 9110, 5.6.7: one moment in its three forms. */
const MOMENT = Date.UTC(1994, 10, 6, 8, 49, 37);

describe("http dates", () => {
  test.each([
    ["the RFC's moment", MOMENT, "Sun, 06 Nov 1994 08:49:37 GMT"],
    ["fractions are cut off", MOMENT + 999, "Sun, 06 Nov 1994 08:49:37 GMT"],
    ["before 1970", -1, "Wed, 31 Dec 1969 23:59:59 GMT"],
    ["before the year 1", -1e18, "Mon, 01 Jan 0001 00:00:00 GMT"],
    ["behind the year 9999", 1e18, "Fri, 31 Dec 9999 23:59:59 GMT"],
  ])("writes %s", (_, ms, text) => {
    expect(formatDate(ms)).toBe(text);
    expect(text).toHaveLength(DATE_LENGTH);
  });

  test.each([
    ["IMF-fixdate", "Sun, 06 Nov 1994 08:49:37 GMT", MOMENT],
    ["RFC 850", "Sunday, 06-Nov-94 08:49:37 GMT", MOMENT],
    ["asctime", "Sun Nov  6 08:49:37 1994", MOMENT],
    [
      "asctime with two digits of day",
      "Wed Nov 16 08:49:37 1994",
      Date.UTC(1994, 10, 16, 8, 49, 37),
    ],
    ["RFC 850 of this century", "Friday, 31-Dec-76 00:00:00 GMT", Date.UTC(2076, 11, 31)],
    ["RFC 850 of the last", "Saturday, 01-Jan-77 00:00:00 GMT", Date.UTC(1977, 0, 1)],
    ["a weekday that is another, as some clients send", "Mon, 06 Nov 1994 08:49:37 GMT", MOMENT],
    ["a leap second", "Sat, 31 Dec 2016 23:59:60 GMT", Date.UTC(2017, 0, 1)],
    ["29 February of a leap year", "Thu, 29 Feb 2024 00:00:00 GMT", Date.UTC(2024, 1, 29)],
    ["the year 1", "Mon, 01 Jan 0001 00:00:00 GMT", -62_135_596_800_000],
  ])("reads %s", (_, text, ms) => {
    expect(parseDate(text)).toBe(ms);
  });

  test.each([
    ["nothing", ""],
    ["29 February of another year", "Wed, 29 Feb 2023 00:00:00 GMT"],
    ["30 February", "Fri, 30 Feb 2024 00:00:00 GMT"],
    ["day 0", "Sun, 00 Nov 1994 08:49:37 GMT"],
    ["day 32", "Sun, 32 Oct 1994 08:49:37 GMT"],
    ["hour 24", "Sun, 06 Nov 1994 24:00:00 GMT"],
    ["minute 60", "Sun, 06 Nov 1994 08:60:37 GMT"],
    ["second 61", "Sun, 06 Nov 1994 08:49:61 GMT"],
    ["another zone", "Sun, 06 Nov 1994 08:49:37 UTC"],
    ["an offset", "Sun, 06 Nov 1994 08:49:37 +0000"],
    ["a month nobody has", "Sun, 06 Nob 1994 08:49:37 GMT"],
    ["a month across two", "Sun, 06 anF 1994 08:49:37 GMT"],
    ["a weekday nobody has", "Sux, 06 Nov 1994 08:49:37 GMT"],
    ["lower case", "sun, 06 nov 1994 08:49:37 gmt"],
    ["one digit of day", "Sun, 6 Nov 1994 08:49:37 GMT"],
    ["signs for digits", "Sun, +6 Nov 1994 08:49:37 GMT"],
    ["spaces for digits", "Sun, 06 Nov 1994  8:49:37 GMT"],
    ["text behind", "Sun, 06 Nov 1994 08:49:37 GMTx"],
    ["space ahead", " Sun, 06 Nov 1994 08:49:37 GMT"],
    ["two dates", "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT"],
    ["ISO 8601", "1994-11-06T08:49:37Z"],
    ["seconds since 1970", "784111777"],
  ])("refuses %s", (_, text) => {
    expect(parseDate(text)).toBeUndefined();
  });

  test("what it writes, it reads back to the second", () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), (ms) => {
        expect(parseDate(formatDate(ms))).toBe(Math.floor(ms / 1000) * 1000);
      }),
    );
  });

  test("one character changed is refused or is another date, never a crash", () => {
    const forms = [
      "Sun, 06 Nov 1994 08:49:37 GMT",
      "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994",
    ];
    fc.assert(
      fc.property(fc.constantFrom(...forms), fc.nat(29), fc.string(), (form, at, piece) => {
        const ms = parseDate(form.slice(0, at) + piece + form.slice(at + 1));
        if (ms !== undefined) expect(parseDate(formatDate(ms))).toBe(ms);
      }),
    );
  });
});
