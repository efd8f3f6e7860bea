import { expect } from "bun:test";

import fc from "fast-check";

import { matchesStrong, matchesWeak } from "../../../src/wire/http/etag.ts";

const opaque = fc
  .string({ unit: fc.constantFrom(..."ab,1\\W/ü"), maxLength: 4 })
  .map((text) => `"${text}"`);
const tag = fc.tuple(fc.boolean(), opaque).map(([weak, text]) => (weak ? `W/${text}` : text));
const bare = (text: string): string => text.replace(/^W\//, "");

export const holdsWhatIsListed = fc.property(
  fc.array(tag),
  tag,
  fc.constantFrom(",", ", ", " ,\t"),
  (tags, etag, comma) => {
    const list = tags.join(comma);
    expect(matchesStrong(list, etag)).toBe(!etag.startsWith("W/") && tags.includes(etag));
    expect(matchesWeak(list, etag)).toBe(tags.map(bare).includes(bare(etag)));
  },
);

export const strongIsWeakToo = fc.property(fc.string(), tag, (list, etag) => {
  if (matchesStrong(list, etag)) expect(matchesWeak(list, etag)).toBe(true);
});
