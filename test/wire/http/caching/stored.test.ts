import { describe, expect, test } from "bun:test";

import { parseCacheControl } from "../../../../src/wire/http/caching/cache-control.ts";
import { ageAt, reuse } from "../../../../src/wire/http/caching/reuse.ts";
import { notKept } from "../../../../src/wire/http/caching/storable.ts";
import { freshnessOf, type Rules, type Seen } from "../../../../src/wire/http/caching/stored.ts";
import { formatDate } from "../../../../src/wire/http/date.ts";

const NOW = Date.UTC(2026, 10, 22, 12);
const S = 1000;
const rules: Rules = {
  defaults: new Map([[404, 9]]),
  heuristicMost: 3600,
  staleWhileRevalidate: 0,
  staleIfError: 0,
};

function seen(fields: Record<string, string>, more: Partial<Seen> = {}): Seen {
  return { status: 200, fields: new Map(Object.entries(fields)), asked: NOW, came: NOW, ...more };
}
const at = (ms: number): string => formatDate(NOW + ms);

describe("lifetime", () => {
  test.each([
    {
      story: "s-maxage wins",
      fields: { "cache-control": "max-age=1, s-maxage=2" },
      is: 2,
      from: "s-maxage",
    },
    {
      story: "max-age over Expires",
      fields: { "cache-control": "max-age=1", expires: at(9 * S) },
      is: 1,
      from: "max-age",
    },
    {
      story: "Expires less Date",
      fields: { date: at(-5 * S), expires: at(5 * S) },
      is: 10,
      from: "expires",
    },
    {
      story: "Expires without Date: since it came",
      fields: { expires: at(5 * S) },
      is: 5,
      from: "expires",
    },
    { story: "Expires nobody can read", fields: { expires: "0" }, is: 0, from: "expires" },
    {
      story: "Expires before Date",
      fields: { date: at(0), expires: at(-5 * S) },
      is: 0,
      from: "expires",
    },
    {
      story: "a tenth of its age",
      fields: { date: at(0), "last-modified": at(-100 * S) },
      is: 10,
      from: "heuristic",
    },
    {
      story: "a guess has a limit",
      fields: { date: at(0), "last-modified": at(-1e9 * S) },
      is: 3600,
      from: "heuristic",
    },
    {
      story: "no guess for what is no usual status",
      fields: { "last-modified": at(-100 * S) },
      status: 599,
      is: 0,
      from: "none",
    },
    {
      story: "changed in the future",
      fields: { date: at(0), "last-modified": at(9 * S) },
      is: 0,
      from: "heuristic",
    },
    { story: "nothing", fields: {}, is: 0, from: "none" },
    { story: "a rule for its status", fields: {}, status: 404, is: 9, from: "rule" },
    {
      story: "the origin goes before a rule",
      fields: { "cache-control": "max-age=1" },
      status: 404,
      is: 1,
      from: "max-age",
    },
    {
      story: "CDN-Cache-Control alone",
      fields: { "cdn-cache-control": "max-age=7", "cache-control": "no-store, s-maxage=1" },
      is: 7,
      from: "max-age",
    },
    {
      story: "a CDN-Cache-Control with what no dictionary holds is none",
      fields: { "cdn-cache-control": "max-age=7, &&&", "cache-control": "max-age=1" },
      is: 1,
      from: "max-age",
    },
    {
      story: "a CDN-Cache-Control whose number is a text is none",
      fields: { "cdn-cache-control": 'max-age="7"', "cache-control": "max-age=1" },
      is: 1,
      from: "max-age",
    },
    {
      story: "a CDN-Cache-Control that ends in a comma is none",
      fields: { "cdn-cache-control": "max-age=7,", "cache-control": "max-age=1" },
      is: 1,
      from: "max-age",
    },
    {
      story: "parameters and switches in CDN-Cache-Control",
      fields: { "cdn-cache-control": "max-age=7;a=1;b, no-store=?0", "cache-control": "max-age=1" },
      is: 7,
      from: "max-age",
    },
    {
      story: "an empty CDN-Cache-Control is none",
      fields: { "cdn-cache-control": " ", "cache-control": "max-age=1" },
      is: 1,
      from: "max-age",
    },
  ])("$story", ({ fields, status = 200, is, from }) => {
    const fresh = freshnessOf(seen(fields as Record<string, string>, { status }), rules);
    expect<unknown>({ is: fresh.lifetime / S, from: fresh.from }).toEqual({ is, from });
  });
});

describe("age when it came", () => {
  test.each([
    { story: "just made", fields: { date: at(0) }, asked: 0, is: 0 },
    { story: "made a while ago", fields: { date: at(-5 * S) }, asked: 0, is: 5 },
    { story: "made in the future", fields: { date: at(5 * S) }, asked: 0, is: 0 },
    { story: "Age says more", fields: { date: at(-5 * S), age: "7" }, asked: 0, is: 7 },
    { story: "Age and the way here", fields: { date: at(0), age: "7" }, asked: 2, is: 9 },
    { story: "Age that is no number", fields: { age: "-7" }, asked: 0, is: 0 },
    { story: "the first Age of two", fields: { age: "3, 9" }, asked: 0, is: 3 },
    { story: "no Date", fields: {}, asked: 2, is: 2 },
  ])("$story", ({ fields, asked, is }) => {
    const s = seen(fields as Record<string, string>, { asked: NOW - asked * S });
    expect(ageAt(freshnessOf(s, rules), NOW) / S).toBe(is);
    expect(ageAt(freshnessOf(s, rules), NOW + 3 * S) / S).toBe(is + 3);
  });
});

describe("what is kept", () => {
  const get = { method: "GET", authorization: false, noStore: false };
  const fresh = { "cache-control": "max-age=5" };
  test.each([
    { story: "a response with a lifetime", fields: fresh, is: undefined },
    { story: "any status with a lifetime", fields: fresh, status: 599, is: undefined },
    { story: "POST", fields: fresh, ask: { ...get, method: "POST" }, is: "method" },
    { story: "no-store", fields: { "cache-control": "no-store, max-age=5" }, is: "no-store" },
    {
      story: "no-store of the request",
      fields: fresh,
      ask: { ...get, noStore: true },
      is: "request",
    },
    { story: "private", fields: { "cache-control": "private, max-age=5" }, is: "private" },
    {
      story: "private for some fields",
      fields: { "cache-control": 'private="x", max-age=5' },
      is: undefined,
    },
    {
      story: "authorised",
      fields: fresh,
      ask: { ...get, authorization: true },
      is: "authorization",
    },
    {
      story: "authorised and public",
      fields: { "cache-control": "public, max-age=5" },
      ask: { ...get, authorization: true },
      is: undefined,
    },
    {
      story: "authorised and s-maxage",
      fields: { "cache-control": "s-maxage=5" },
      ask: { ...get, authorization: true },
      is: undefined,
    },
    {
      story: "authorised and must-revalidate",
      fields: { "cache-control": "must-revalidate, max-age=5" },
      ask: { ...get, authorization: true },
      is: undefined,
    },
    { story: "varies by all", fields: { ...fresh, vary: "accept, *" }, is: "vary" },
    { story: "sets a cookie", fields: { ...fresh, "set-cookie": "a=b" }, is: "set-cookie" },
    {
      story: "sets a cookie for all",
      fields: { "cache-control": "public, max-age=5", "set-cookie": "a=b" },
      is: undefined,
    },
    { story: "partial", fields: fresh, status: 206, is: "status" },
    { story: "interim", fields: fresh, status: 103, is: "status" },
    {
      story: "must-understand and understood",
      fields: { "cache-control": "must-understand, no-store, max-age=5" },
      is: undefined,
    },
    {
      story: "must-understand and not",
      fields: { "cache-control": "must-understand, no-store, max-age=5" },
      status: 599,
      is: "status",
    },
    { story: "no lifetime, no validator", fields: {}, is: "no-freshness" },
    { story: "no lifetime but a tag", fields: { etag: '"x"' }, is: undefined },
    {
      story: "a tag on an unusual status",
      fields: { etag: '"x"' },
      status: 418,
      is: "no-freshness",
    },
    { story: "a rule for its status", fields: {}, status: 404, is: undefined },
    {
      story: "targeted no-store",
      fields: { "cdn-cache-control": "no-store", ...fresh },
      is: "no-store",
    },
    {
      story: "targeted lifetime over no-store",
      fields: { "cdn-cache-control": "max-age=5", "cache-control": "no-store" },
      is: undefined,
    },
  ])("$story: $is", ({ fields, status = 200, ask = get, is }) => {
    const map = new Map(Object.entries(fields as Record<string, string>));
    expect<unknown>(notKept(ask, status, map, rules)).toBe(is);
  });
});

describe("how it is used", () => {
  const kept = (cc: string, r: Partial<Rules> = {}) =>
    freshnessOf(seen({ "cache-control": cc }), { ...rules, ...r });
  const swr = { staleWhileRevalidate: 10, staleIfError: 20 };
  test.each([
    { story: "fresh", cc: "max-age=5", after: 4, is: "fresh" },
    { story: "just stale", cc: "max-age=5", after: 5, is: "ask" },
    { story: "no-cache", cc: "no-cache, max-age=5", after: 0, is: "ask" },
    {
      story: "stale while revalidate",
      cc: "max-age=5, stale-while-revalidate=5",
      after: 9,
      is: "background",
    },
    { story: "too stale for it", cc: "max-age=5, stale-while-revalidate=5", after: 10, is: "ask" },
    { story: "stale if error", cc: "max-age=5, stale-if-error=5", after: 9, is: "ask or stale" },
    { story: "the operator's", cc: "max-age=5", rules: swr, after: 14, is: "background" },
    {
      story: "the origin's goes before the operator's",
      cc: "max-age=5, stale-while-revalidate=0",
      rules: swr,
      after: 6,
      is: "ask or stale",
    },
    {
      story: "must-revalidate ends all that",
      cc: "max-age=5, must-revalidate, stale-if-error=9",
      rules: swr,
      after: 6,
      is: "ask",
    },
    { story: "s-maxage too", cc: "s-maxage=5", rules: swr, after: 6, is: "ask" },
    {
      story: "no-cache asks, and errors count",
      cc: "no-cache, stale-if-error=9",
      after: 1,
      is: "ask",
    },
    { story: "reload", cc: "max-age=5", asked: "no-cache", after: 1, is: "ask or stale" },
    {
      story: "reload of what cannot change",
      cc: "max-age=5, immutable",
      asked: "no-cache",
      after: 1,
      is: "fresh",
    },
    { story: "younger than that", cc: "max-age=5", asked: "max-age=2", after: 2, is: "fresh" },
    { story: "older than that", cc: "max-age=5", asked: "max-age=2", after: 3, is: "ask or stale" },
    {
      story: "fresh for longer",
      cc: "max-age=5",
      asked: "min-fresh=3",
      after: 3,
      is: "ask or stale",
    },
    { story: "fresh long enough", cc: "max-age=5", asked: "min-fresh=3", after: 2, is: "fresh" },
    { story: "stale will do", cc: "max-age=5", asked: "max-stale=3", after: 7, is: "fresh" },
    { story: "but not so stale", cc: "max-age=5", asked: "max-stale=3", after: 8, is: "ask" },
    {
      story: "any staleness will do",
      cc: "max-age=5",
      asked: "max-stale",
      after: 1e6,
      is: "fresh",
    },
    {
      story: "not with must-revalidate",
      cc: "max-age=5, must-revalidate",
      asked: "max-stale",
      after: 6,
      is: "ask",
    },
  ])("$story: $is", ({ cc, rules: r, asked, after, is }) => {
    const said = asked === undefined ? undefined : parseCacheControl(asked);
    const use = reuse(kept(cc, r), said, NOW + after * S);
    expect(use.kind === "ask" && use.stale ? "ask or stale" : use.kind).toBe(is);
  });
});
