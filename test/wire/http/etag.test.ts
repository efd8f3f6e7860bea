import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { matchesStrong, matchesWeak, strongEtag, tagsOf } from "../../../src/wire/http/etag.ts";
import { holdsWhatIsListed, strongIsWeakToo } from "./etag.properties.ts";

const ETAGC = /^"[\x21\x23-\x7e\x80-\xff]*"$/; // RFC 9110, 8.8.3
const version = { size: 1024, mtimeMs: 1_700_000_000_123.456 };

describe("a strong tag", () => {
  test("is quoted, and the same for the same file anywhere", () => {
    expect(strongEtag(version)).toMatch(ETAGC);
    expect(strongEtag(version)).toBe(strongEtag({ ...version }));
    expect(strongEtag(version, "identity")).toBe(strongEtag(version));
  });

  test.each([
    ["size", { ...version, size: 1025 }],
    ["a microsecond", { ...version, mtimeMs: version.mtimeMs + 0.001 }],
    ["a time before 1970", { ...version, mtimeMs: -1 }],
  ])("differs by %s", (_, other) => {
    expect(strongEtag(other)).not.toBe(strongEtag(version));
    expect(strongEtag(other)).toMatch(ETAGC);
  });

  test("differs by coding", () => {
    const tags = (["identity", "gzip", "br", "zstd"] as const).map((c) => strongEtag(version, c));
    expect(new Set(tags).size).toBe(4);
  });

  test("differs when a coded file beside it was made anew", () => {
    const beside = { size: 300, mtimeMs: version.mtimeMs + 5 };
    const tags = [
      strongEtag(version, "br"),
      strongEtag(version, "br", beside),
      strongEtag(version, "br", { ...beside, size: 301 }),
      strongEtag(version, "br", { ...beside, mtimeMs: beside.mtimeMs + 1 }),
      strongEtag(version, "gzip", beside),
    ];
    expect(new Set(tags).size).toBe(5);
    for (const tag of tags) expect(tag).toMatch(ETAGC);
  });

  test("names its version in every coding, and no other", () => {
    const beside = { size: 300, mtimeMs: version.mtimeMs };
    const own = [
      strongEtag(version),
      strongEtag(version, "gzip"),
      strongEtag(version, "zstd", beside),
    ];
    const others = [
      strongEtag({ ...version, size: 1024 * 36 }),
      strongEtag({ ...version, mtimeMs: version.mtimeMs * 36 }),
      strongEtag(beside, "gzip", version),
    ];
    expect(tagsOf(version, [...own, ...others].join(", "))).toEqual(own);
    expect(tagsOf(version, others.join(", "))).toEqual([]);
  });
});

describe("lists of tags", () => {
  // RFC 9110, 8.8.3.2, and its lists.
  test.each([
    { story: "the same", list: '"1"', etag: '"1"', strong: true, weak: true },
    { story: "weak in the list", list: 'W/"1"', etag: '"1"', strong: false, weak: true },
    { story: "weak on our side", list: '"1"', etag: 'W/"1"', strong: false, weak: true },
    { story: "both weak", list: 'W/"1"', etag: 'W/"1"', strong: false, weak: true },
    { story: "another", list: '"2"', etag: '"1"', strong: false, weak: false },
    { story: "last of three", list: '"a", "b","1"', etag: '"1"', strong: true, weak: true },
    { story: "weak one first", list: 'W/"1", "1"', etag: '"1"', strong: true, weak: true },
    { story: "commas in quotes", list: '"a,1", "b"', etag: '"1"', strong: false, weak: false },
    {
      story: "with a comma of its own",
      list: '"x", "a,1"',
      etag: '"a,1"',
      strong: true,
      weak: true,
    },
    { story: "empty elements", list: ', ,"1",', etag: '"1"', strong: true, weak: true },
    { story: "tabs", list: '"x"\t,\t"1"', etag: '"1"', strong: true, weak: true },
    {
      story: "a backslash is no escape",
      list: '"a\\", "1"',
      etag: '"1"',
      strong: true,
      weak: true,
    },
    { story: "empty tags", list: '""', etag: '""', strong: true, weak: true },
    { story: "lower-case w is no tag", list: 'w/"1"', etag: '"1"', strong: false, weak: false },
    { story: "no quotes", list: "1", etag: '"1"', strong: false, weak: false },
    { story: "no closing quote", list: '"1', etag: '"1"', strong: false, weak: false },
    { story: "no comma between", list: '"x" "1"', etag: '"1"', strong: false, weak: false },
    { story: "before the broken part", list: '"1", x', etag: '"1"', strong: true, weak: true },
    { story: "behind the broken part", list: 'x, "1"', etag: '"1"', strong: false, weak: false },
    { story: "a prefix", list: '"1"', etag: '"12"', strong: false, weak: false },
    { story: "nothing", list: "", etag: '"1"', strong: false, weak: false },
    { story: "case counts", list: '"A"', etag: '"a"', strong: false, weak: false },
  ])("$story: $list against $etag", ({ list, etag, strong, weak }) => {
    expect([matchesStrong(list, etag), matchesWeak(list, etag)]).toEqual([strong, weak]);
  });

  test("a list holds what was put into it", () => {
    fc.assert(holdsWhatIsListed);
  });
  test("any text is only compared", () => {
    fc.assert(strongIsWeakToo);
  });
});
