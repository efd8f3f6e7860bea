import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { combined, json, localTime } from "../../src/observe/access-line.ts";
import type { AccessEntry } from "../../src/observe/access-log.ts";
import { AccessWriter } from "../../src/observe/access-writer.ts";

const plain: AccessEntry = {
  service: "web.site",
  client: "192.0.2.7",
  user: undefined,
  method: "GET",
  target: "/a%20b?q=1",
  protocol: "HTTP/1.1",
  host: "example.net",
  status: 200,
  bytes: 1024,
  ms: 1.23456,
  referer: null,
  agent: "curl/8.5",
};
const TIME = "22/Nov/2026:10:58:00 +0000";

describe("combined", () => {
  test.each([
    {
      story: "an ordinary request",
      entry: {},
      line: `192.0.2.7 - - [${TIME}] "GET /a%20b?q=1 HTTP/1.1" 200 1024 "-" "curl/8.5"`,
    },
    {
      story: "a user, a referer",
      entry: { user: "ann", referer: "http://x/" },
      line: `192.0.2.7 - ann [${TIME}] "GET /a%20b?q=1 HTTP/1.1" 200 1024 "http://x/" "curl/8.5"`,
    },
    {
      story: "quotes and backslashes",
      entry: { agent: 'a"b\\c' },
      line: `192.0.2.7 - - [${TIME}] "GET /a%20b?q=1 HTTP/1.1" 200 1024 "-" "a\\x22b\\x5Cc"`,
    },
    {
      story: "a line of its own",
      entry: { target: "/\r\n6.6.6.6 - - [] " },
      line: `192.0.2.7 - - [${TIME}] "GET /\\x0D\\x0A6.6.6.6 - - []  HTTP/1.1" 200 1024 "-" "curl/8.5"`,
    },
    {
      story: "a user with a space would move the columns",
      entry: { user: "a b" },
      line: `192.0.2.7 - a\\x20b [${TIME}] "GET /a%20b?q=1 HTTP/1.1" 200 1024 "-" "curl/8.5"`,
    },
    {
      story: "Latin-1 as the bytes it was, beyond it as UTF-8",
      entry: { agent: "é€" },
      line: `192.0.2.7 - - [${TIME}] "GET /a%20b?q=1 HTTP/1.1" 200 1024 "-" "\\xE9\\xE2\\x82\\xAC"`,
    },
  ])("$story", ({ entry, line }) => {
    expect(combined({ ...plain, ...entry }, TIME)).toBe(`${line}\n`);
  });
});

test("json", () => {
  expect(JSON.parse(json(plain, "T"))).toEqual({
    time: "T",
    ...plain,
    user: null,
    ms: 1.235,
  });
});

test("localTime is in the zone of the machine", () => {
  const at = new Date(2026, 10, 2, 3, 4, 5);
  expect(localTime(at.getTime())).toStartWith("02/Nov/2026:03:04:05 ");
  const zone = localTime(at.getTime()).slice(-5);
  expect(Date.parse(`2 Nov 2026 03:04:05 ${zone}`)).toBe(at.getTime());
});

/** Whatever a stranger may put into a request. */
const stranger = fc.string({ unit: "binary", maxLength: 3000 });
const entries = fc.record({
  service: fc.constant("web.site"),
  client: fc.oneof(fc.ipV4(), fc.ipV6(), stranger),
  user: fc.option(stranger, { nil: undefined }),
  method: stranger,
  target: stranger,
  protocol: fc.constantFrom("HTTP/1.1", "HTTP/2"),
  host: stranger,
  status: fc.integer({ min: 100, max: 599 }),
  bytes: fc.nat(),
  ms: fc.double({ min: 0, max: 1e6, noNaN: true }),
  referer: fc.option(stranger),
  agent: fc.option(stranger),
});
const PRINTABLE = /^[ -~]{1,4095}\n$/;
const COLUMNS =
  /^([^ "]+) - ([^ "]+) \[[^\]"]+\] "([^"\\]|\\x[0-9A-F]{2})*" \d{3} \d+ "([^"\\]|\\x[0-9A-F]{2})*" "([^"\\]|\\x[0-9A-F]{2})*"\n$/;

describe("no request can write a line or column that is not its own", () => {
  test("combined", () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const line = combined(entry, TIME);
        expect(line).toMatch(PRINTABLE);
        expect(line).toMatch(COLUMNS);
      }),
    );
  });
  test("json, and what was short enough comes back as it was", () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const line = json(entry, "T");
        expect(line).toMatch(PRINTABLE);
        const read = JSON.parse(line);
        expect(Object.keys(read)).toEqual(["time", ...Object.keys(plain)]);
        if (entry.target.length < 200) expect(read.target).toBe(entry.target);
      }),
    );
  });
});

test("AccessWriter dates every line, and formats the second only when it changes", () => {
  const lines: string[] = [];
  const file = { write: (t: string) => lines.push(t), flush() {}, reopen() {}, close() {} };
  let now = Date.UTC(2026, 0, 1);
  const writer = new AccessWriter(file, "combined", { now: () => now });
  writer.write(plain);
  now += 1000;
  writer.write(plain);
  expect(lines).toEqual([combined(plain, localTime(now - 1000)), combined(plain, localTime(now))]);
  const asJson = new AccessWriter(file, "json", { now: () => now });
  for (const step of [0, 7, 993]) {
    now += step;
    asJson.write(plain);
    expect(JSON.parse(lines.at(-1) ?? "").time).toBe(new Date(now).toISOString());
  }
});
