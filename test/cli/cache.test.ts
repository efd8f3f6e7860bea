import { expect, test } from "bun:test";

import { showListed, showStats } from "../../src/cli/cache.ts";

const plain = (_: string, text: string): string => text;

test("what is stored, in a table", () => {
  const one = {
    proxy: "edge",
    url: "example.net/",
    variant: "",
    status: 200,
    bytes: 2048,
    age: 90,
    ttl: 10,
    tags: "a b",
  };
  expect(showListed([], plain)).toBe("nothing is stored in memory");
  expect(showListed([one, { ...one, variant: "accept:=x\nfoo:", ttl: -1, tags: "" }], plain))
    .toMatchInlineSnapshot(`
    "PROXY  URL                             STATUS  SIZE   AGE    FRESH FOR  TAGS
    edge   example.net/                       200  2 KiB  1m30s  10s        a b
    edge   example.net/ (accept:=x, foo:)     200  2 KiB  1m30s  stale"
  `);
});

test("how it goes, in a table", () => {
  const none = {
    hits: 0,
    stale: 0,
    misses: 0,
    collapsed: 0,
    passed: 0,
    entries: 0,
    memory_bytes: 0,
  };
  const edge = {
    ...none,
    hits: 97,
    misses: 3,
    entries: 7,
    memory_bytes: 4096,
    disk_entries: 9,
    disk_bytes: 1e6,
    disk_hits: 2,
    disk_errors: 0,
  };
  expect(showStats({ edge, other: none }, plain)).toMatchInlineSnapshot(`
    "PROXY  HITS  RATIO  STALE  MISSES  WAITED  PASSED  IN MEMORY  ON DISK      DISK HITS  DISK ERRORS
    edge     97  97.0%      0       3       0       0  7 (4 KiB)  9 (977 KiB)  2          0
    other     0  -          0       0       0       0  0 (0 B)    -            -          -"
  `);
});
