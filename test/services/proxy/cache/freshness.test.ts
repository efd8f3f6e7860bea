/** Rows after the public cache-tests suite (https://cache-tests.fyi): two requests, is the second one answered from the cache? */
import { describe, expect, test } from "bun:test";

import { formatDate } from "../../../../src/wire/http/date.ts";
import { Bench, type Got, START } from "./bench.ts";

type Fields = Readonly<Record<string, string | readonly string[]>>;
interface Row {
  readonly story: string;
  readonly config?: object;
  /** Of both requests, or of the second. */
  readonly ask?: Readonly<Record<string, string>>;
  readonly again?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly status?: number;
  readonly fields: Fields;
  /** Seconds between both. */
  readonly wait?: number;
  /** "asked": with validators. */
  readonly second: "hit" | "miss" | "asked";
}

const at = (seconds: number): string => formatDate(START + seconds * 1000);
const CONTROL = { client_control: true };

async function run(row: Row): Promise<{ second: Row["second"]; got: Got; heard: number }> {
  const {
    config = {},
    ask = {},
    again = ask,
    method = "GET",
    status = 200,
    fields,
    wait = 0,
  } = row;
  const bench = new Bench(config, (_, n) => ({ status, headers: fields, body: `answer ${n}` }));
  await bench.get({ headers: ask, method });
  bench.wait(wait);
  const got = await bench.get({ headers: again, method });
  const [, last] = bench.heard;
  const validated = last?.headers.has("if-none-match") || last?.headers.has("if-modified-since");
  return {
    second: last === undefined ? "hit" : validated ? "asked" : "miss",
    got,
    heard: bench.heard.length,
  };
}

function table(name: string, rows: readonly Row[]): void {
  describe(name, () => {
    test.each(rows)("$story: $second", async (row) => {
      const { second, got } = await run(row);
      expect(second).toBe(row.second);
      if (row.method !== "HEAD") expect(got.text).toBe(second === "hit" ? "answer 1" : "answer 2");
    });
  });
}

table("freshness: Cache-Control", [
  { story: "max-age", fields: { "Cache-Control": "max-age=3600" }, second: "hit" },
  {
    story: "max-age, later",
    fields: { "Cache-Control": "max-age=3600" },
    wait: 3599,
    second: "hit",
  },
  {
    story: "max-age, over",
    fields: { "Cache-Control": "max-age=3600" },
    wait: 3600,
    second: "miss",
  },
  { story: "max-age=0", fields: { "Cache-Control": "max-age=0" }, second: "miss" },
  { story: "upper case", fields: { "Cache-Control": "MaX-aGe=3600" }, second: "hit" },
  { story: "a huge number", fields: { "Cache-Control": "max-age=99999999999" }, second: "hit" },
  { story: "quoted", fields: { "Cache-Control": 'max-age="3600"' }, second: "hit" },
  {
    story: "in another directive's quotes",
    fields: { "Cache-Control": 'extension="max-age=3600"' },
    second: "miss",
  },
  { story: "single quotes", fields: { "Cache-Control": "max-age='3600'" }, second: "miss" },
  { story: "negative", fields: { "Cache-Control": "max-age=-3600" }, second: "miss" },
  { story: "a fraction", fields: { "Cache-Control": "max-age=3600.5" }, second: "miss" },
  { story: "a letter in it", fields: { "Cache-Control": "max-age=36o0" }, second: "miss" },
  {
    story: "a space before the equals sign",
    fields: { "Cache-Control": "max-age =3600" },
    second: "miss",
  },
  {
    story: "two, different",
    fields: { "Cache-Control": "max-age=1800, max-age=1" },
    second: "miss",
  },
  {
    story: "Age uses it up",
    fields: { "Cache-Control": "max-age=3600", Age: "12000" },
    second: "miss",
  },
  {
    story: "Age leaves some",
    fields: { "Cache-Control": "max-age=3600", Age: "1800" },
    wait: 1700,
    second: "hit",
  },
  {
    story: "Age leaves none",
    fields: { "Cache-Control": "max-age=3600", Age: "1800" },
    wait: 1800,
    second: "miss",
  },
  {
    story: "Date long ago",
    fields: { "Cache-Control": "max-age=3600", Date: at(-7200) },
    second: "miss",
  },
  {
    story: "Date not so long ago",
    fields: { "Cache-Control": "max-age=3600", Date: at(-1800) },
    second: "hit",
  },
  {
    story: "s-maxage over a short max-age",
    fields: { "Cache-Control": "max-age=1, s-maxage=3600" },
    wait: 9,
    second: "hit",
  },
  {
    story: "a short s-maxage over max-age",
    fields: { "Cache-Control": "max-age=3600, s-maxage=1" },
    wait: 9,
    second: "miss",
  },
  { story: "private", fields: { "Cache-Control": "private, max-age=3600" }, second: "miss" },
  { story: "no-store", fields: { "Cache-Control": "max-age=3600, no-store" }, second: "miss" },
  {
    story: "no-store, upper case",
    fields: { "Cache-Control": "No-StOrE, max-age=3600" },
    second: "miss",
  },
  { story: "no-cache", fields: { "Cache-Control": "no-cache", ETag: '"a"' }, second: "asked" },
  {
    story: "no-cache with a lifetime",
    fields: { "Cache-Control": "no-cache, max-age=3600", ETag: '"a"' },
    second: "asked",
  },
  {
    story: "must-revalidate, fresh",
    fields: { "Cache-Control": "max-age=10, must-revalidate" },
    second: "hit",
  },
  { story: "nothing said", fields: {}, second: "miss" },
  {
    story: "a lifetime in two fields",
    fields: { "Cache-Control": ["public", "max-age=3600"] },
    second: "hit",
  },
  {
    story: "max-age over Expires",
    fields: { "Cache-Control": "max-age=3600", Expires: at(-10) },
    second: "hit",
  },
]);

table("freshness: Expires", [
  { story: "to come", fields: { Expires: at(3600) }, second: "hit" },
  { story: "past", fields: { Expires: at(-3600) }, second: "miss" },
  { story: "now", fields: { Expires: at(0) }, second: "miss" },
  { story: "0", fields: { Expires: "0" }, second: "miss" },
  { story: "no date", fields: { Expires: "soon" }, second: "miss" },
  { story: "RFC 850", fields: { Expires: "Monday, 23-Nov-26 12:00:00 GMT" }, second: "hit" },
  { story: "another zone", fields: { Expires: "Mon, 23 Nov 2026 12:00:00 CET" }, second: "miss" },
  { story: "Age uses it up", fields: { Expires: at(3600), Age: "7200" }, second: "miss" },
  { story: "from Date", fields: { Expires: at(1800), Date: at(-3600) }, wait: 1799, second: "hit" },
]);

table("freshness: guessed", [
  {
    story: "Last-Modified long ago",
    fields: { "Last-Modified": at(-864_000) },
    wait: 3600,
    second: "hit",
  },
  { story: "over a tenth", fields: { "Last-Modified": at(-36_000) }, wait: 3601, second: "asked" },
  {
    story: "at most what is configured",
    config: { heuristic_max: "10s" },
    fields: { "Last-Modified": at(-864_000) },
    wait: 11,
    second: "asked",
  },
  {
    story: "never",
    config: { heuristic_max: "0" },
    fields: { "Last-Modified": at(-864_000) },
    second: "asked",
  },
  { story: "404", status: 404, fields: { "Last-Modified": at(-864_000) }, second: "hit" },
  { story: "not 302", status: 302, fields: { "Last-Modified": at(-864_000) }, second: "miss" },
  {
    story: "302 that is public",
    status: 302,
    fields: { "Last-Modified": at(-864_000), "Cache-Control": "public" },
    second: "hit",
  },
]);

table(
  "freshness: any status with a lifetime",
  [200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502, 503, 504, 599].map(
    (status) => ({
      story: String(status),
      status,
      fields: { "Cache-Control": "max-age=3600" },
      second: "hit" as const,
    }),
  ),
);

table("negative caching by rule", [
  {
    story: "404 without a word",
    config: { defaults: { 404: "10s" } },
    status: 404,
    fields: {},
    wait: 9,
    second: "hit",
  },
  {
    story: "404, over",
    config: { defaults: { 404: "10s" } },
    status: 404,
    fields: {},
    wait: 10,
    second: "miss",
  },
  {
    story: "404 that says no",
    config: { defaults: { 404: "10s" } },
    status: 404,
    fields: { "Cache-Control": "no-store" },
    second: "miss",
  },
  {
    story: "503 by rule",
    config: { defaults: { 503: "5s" } },
    status: 503,
    fields: {},
    second: "hit",
  },
]);

table("only for one cache: CDN-Cache-Control", [
  { story: "max-age", fields: { "CDN-Cache-Control": "max-age=3600" }, second: "hit" },
  {
    story: "over Cache-Control",
    fields: { "CDN-Cache-Control": "max-age=3600", "Cache-Control": "max-age=1" },
    wait: 9,
    second: "hit",
  },
  {
    story: "shorter than Cache-Control",
    fields: { "CDN-Cache-Control": "max-age=1", "Cache-Control": "max-age=3600" },
    wait: 9,
    second: "miss",
  },
  {
    story: "over no-store",
    fields: { "CDN-Cache-Control": "max-age=3600", "Cache-Control": "no-store" },
    second: "hit",
  },
  {
    story: "over private",
    fields: { "CDN-Cache-Control": "max-age=3600", "Cache-Control": "private" },
    second: "hit",
  },
  {
    story: "over Expires",
    fields: { "CDN-Cache-Control": "max-age=3600", Expires: at(-1) },
    second: "hit",
  },
  {
    story: "its own no-store",
    fields: { "CDN-Cache-Control": "no-store", "Cache-Control": "max-age=3600" },
    second: "miss",
  },
  {
    story: "its own private",
    fields: { "CDN-Cache-Control": "private", "Cache-Control": "max-age=3600" },
    second: "miss",
  },
  {
    story: "its own no-cache",
    fields: { "CDN-Cache-Control": "no-cache", "Cache-Control": "max-age=3600", ETag: '"a"' },
    second: "asked",
  },
  {
    story: "empty",
    fields: { "CDN-Cache-Control": "", "Cache-Control": "max-age=3600" },
    second: "hit",
  },
  {
    story: "unreadable: as if it were not there (RFC 9213, 2.1)",
    fields: { "CDN-Cache-Control": "max-age=3600;", "Cache-Control": "no-store" },
    second: "miss",
  },
  {
    story: "Age uses it up",
    fields: { "CDN-Cache-Control": "max-age=3600", Age: "7200" },
    second: "miss",
  },
]);

table("stored at all", [
  {
    story: "with a cookie",
    fields: { "Cache-Control": "max-age=3600", "Set-Cookie": "a=b" },
    second: "miss",
  },
  {
    story: "with a cookie, public",
    fields: { "Cache-Control": "public, max-age=3600", "Set-Cookie": "a=b" },
    second: "hit",
  },
  { story: "Vary: *", fields: { "Cache-Control": "max-age=3600", Vary: "*" }, second: "miss" },
  {
    story: "Vary: *, x",
    fields: { "Cache-Control": "max-age=3600", Vary: "x, *" },
    second: "miss",
  },
  {
    story: "for someone",
    ask: { authorization: "x" },
    fields: { "Cache-Control": "max-age=3600" },
    second: "miss",
  },
  {
    story: "for someone, public",
    ask: { authorization: "x" },
    fields: { "Cache-Control": "max-age=3600, public" },
    second: "hit",
  },
  {
    story: "for someone, must-revalidate",
    ask: { authorization: "x" },
    fields: { "Cache-Control": "max-age=3600, must-revalidate" },
    second: "hit",
  },
  {
    story: "for someone, s-maxage",
    ask: { authorization: "x" },
    fields: { "Cache-Control": "s-maxage=3600" },
    second: "hit",
  },
  {
    story: "for all, asked for by someone",
    again: { authorization: "x" },
    fields: { "Cache-Control": "max-age=3600" },
    second: "miss",
  },
  {
    story: "must-understand with a status that is",
    fields: { "Cache-Control": "max-age=3600, no-store, must-understand" },
    second: "hit",
  },
  {
    story: "must-understand with one that is not",
    status: 299,
    fields: { "Cache-Control": "max-age=3600, must-understand" },
    second: "miss",
  },
  {
    story: "Pragma: no-cache alone",
    fields: { Pragma: "no-cache", Expires: at(3600), ETag: '"a"' },
    second: "asked",
  },
  {
    story: "Pragma: no-cache beside a lifetime",
    fields: { Pragma: "no-cache", "Cache-Control": "max-age=3600" },
    second: "hit",
  },
  { story: "HEAD", method: "HEAD", fields: { "Cache-Control": "max-age=3600" }, second: "miss" },
]);

table("what clients say, where it counts", [
  {
    story: "max-age=0",
    config: CONTROL,
    again: { "cache-control": "max-age=0" },
    wait: 1,
    fields: { "Cache-Control": "max-age=3600", ETag: '"a"' },
    second: "asked",
  },
  {
    story: "max-age that is enough",
    config: CONTROL,
    again: { "cache-control": "max-age=9" },
    wait: 5,
    fields: { "Cache-Control": "max-age=3600" },
    second: "hit",
  },
  {
    story: "max-age that is not",
    config: CONTROL,
    again: { "cache-control": "max-age=3" },
    wait: 5,
    fields: { "Cache-Control": "max-age=3600" },
    second: "miss",
  },
  {
    story: "no-cache",
    config: CONTROL,
    again: { "cache-control": "no-cache" },
    fields: { "Cache-Control": "max-age=3600" },
    second: "miss",
  },
  {
    story: "no-cache, immutable",
    config: CONTROL,
    again: { "cache-control": "no-cache" },
    fields: { "Cache-Control": "max-age=3600, immutable" },
    second: "hit",
  },
  {
    story: "Pragma: no-cache",
    config: CONTROL,
    again: { pragma: "no-cache" },
    fields: { "Cache-Control": "max-age=3600" },
    second: "miss",
  },
  {
    story: "Pragma beside Cache-Control",
    config: CONTROL,
    again: { pragma: "no-cache", "cache-control": "max-stale=0" },
    fields: { "Cache-Control": "max-age=3600" },
    second: "hit",
  },
  {
    story: "min-fresh",
    config: CONTROL,
    again: { "cache-control": "min-fresh=100" },
    fields: { "Cache-Control": "max-age=50" },
    second: "miss",
  },
  {
    story: "max-stale",
    config: CONTROL,
    again: { "cache-control": "max-stale=100" },
    wait: 60,
    fields: { "Cache-Control": "max-age=50" },
    second: "hit",
  },
  {
    story: "any max-stale",
    config: CONTROL,
    again: { "cache-control": "max-stale" },
    wait: 600,
    fields: { "Cache-Control": "max-age=50" },
    second: "hit",
  },
  {
    story: "max-stale, must-revalidate",
    config: CONTROL,
    again: { "cache-control": "max-stale=100" },
    wait: 60,
    fields: { "Cache-Control": "max-age=50, must-revalidate" },
    second: "miss",
  },
  {
    story: "no-store",
    config: CONTROL,
    ask: { "cache-control": "no-store" },
    again: {},
    fields: { "Cache-Control": "max-age=3600" },
    second: "miss",
  },
  {
    story: "no-cache where it does not count",
    again: { "cache-control": "no-cache", pragma: "no-cache" },
    fields: { "Cache-Control": "max-age=3600" },
    second: "hit",
  },
]);

table("Vary", [
  {
    story: "the same value",
    ask: { foo: "1" },
    fields: { "Cache-Control": "max-age=3600", Vary: "Foo" },
    second: "hit",
  },
  {
    story: "another value",
    ask: { foo: "1" },
    again: { foo: "2" },
    fields: { "Cache-Control": "max-age=3600", Vary: "Foo" },
    second: "miss",
  },
  {
    story: "no value",
    ask: { foo: "1" },
    again: {},
    fields: { "Cache-Control": "max-age=3600", Vary: "Foo" },
    second: "miss",
  },
  {
    story: "both without",
    fields: { "Cache-Control": "max-age=3600", Vary: "Foo" },
    second: "hit",
  },
  {
    story: "another field differs",
    ask: { other: "1" },
    again: { other: "2" },
    fields: { "Cache-Control": "max-age=3600", Vary: "Foo" },
    second: "hit",
  },
  {
    story: "two fields, one differs",
    ask: { foo: "1", bar: "a" },
    again: { foo: "1", bar: "b" },
    fields: { "Cache-Control": "max-age=3600", Vary: "Foo, Bar" },
    second: "miss",
  },
  {
    story: "two lines of it",
    ask: { foo: "1", bar: "a" },
    again: { foo: "1", bar: "b" },
    fields: { "Cache-Control": "max-age=3600", Vary: ["Foo", "Bar"] },
    second: "miss",
  },
  {
    story: "space makes no difference",
    ask: { foo: "1,2" },
    again: { foo: "1 ,  2" },
    fields: { "Cache-Control": "max-age=3600", Vary: "Foo" },
    second: "hit",
  },
  {
    story: "codings in another order",
    ask: { "accept-encoding": "gzip, br" },
    again: { "accept-encoding": "br;q=0.5, gzip, deflate" },
    fields: { "Cache-Control": "max-age=3600", Vary: "Accept-Encoding" },
    second: "hit",
  },
  {
    story: "other codings",
    ask: { "accept-encoding": "gzip, br" },
    again: { "accept-encoding": "gzip" },
    fields: { "Cache-Control": "max-age=3600", Vary: "Accept-Encoding" },
    second: "miss",
  },
  {
    story: "languages in another case",
    ask: { "accept-language": "EN, de" },
    again: { "accept-language": "en,de" },
    fields: { "Cache-Control": "max-age=3600", Vary: "Accept-Language" },
    second: "hit",
  },
]);
