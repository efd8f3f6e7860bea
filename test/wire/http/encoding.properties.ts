import { expect } from "bun:test";

import fc from "fast-check";

import { negotiate } from "../../../src/wire/http/encoding.ts";

export const ALL = ["zstd", "br", "gzip"] as const;

const element = fc.record({
  name: fc.constantFrom("zstd", "br", "gzip", "identity", "*", "deflate"),
  q: fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }),
});
const lists = fc.uniqueArray(element, { selector: (e) => e.name });

/** RFC 9110, 12.5.3, without care for speed. */
export const asPlainlyRead = fc.property(lists, fc.subarray([...ALL]), (list, offered) => {
  const accept = list
    .map((e) => (e.q === undefined ? e.name : `${e.name};q=${(e.q / 1000).toFixed(3)}`))
    .join(", ");
  const weight = (coding: string) => {
    const e = list.find((x) => x.name === coding) ?? list.find((x) => x.name === "*");
    return e === undefined ? undefined : (e.q ?? 1000);
  };
  const [best] = offered
    .filter((c) => (weight(c) ?? 0) > 0)
    .toSorted((a, b) => (weight(b) ?? 0) - (weight(a) ?? 0));
  const named = list.find((e) => e.name === "identity");
  const rather = named !== undefined && (named.q ?? 1000) > (weight(best ?? "") ?? 0);
  const otherwise = weight("identity") === 0 ? "none" : "identity";
  const answer = best === undefined || rather ? otherwise : best;
  expect<string>(negotiate(accept, offered)).toBe(answer);
});

export const answersAnyText = fc.property(
  fc.string({ unit: fc.constantFrom(..."gzipbrq=;,.01* \t") }),
  (accept) => {
    expect([...ALL, "identity", "none"]).toContain(negotiate(accept, ALL));
  },
);
