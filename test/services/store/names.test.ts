import { expect, test } from "bun:test";

import fc from "fast-check";

import { Layout, readName } from "../../../src/services/store/names.ts";
import { decodeTarget } from "../../../src/wire/http/path.ts";

function read(target: string, raw = false) {
  const decoded = decodeTarget(target);
  return decoded && readName({ path: decoded.path, target }, "_3fs", raw);
}

test.each([
  ["/_3fs_0/path/to/file", 0, "/path/to/file", "/path/to/file"],
  ["/_3fs_12/a%20b?x=1", 12, "/a b", "/a%20b?x=1"],
  ["/_3fs_0/", 0, "/", "/"],
  ["/%5f3fs_0/a%20b", 0, "/a b", "/a b"],
  ["/a?x=1", "any", "/a", "/a?x=1"],
  ["http://h.example/_3fs_0/a?x", 0, "/a", "/a?x"],
  ["/_3fsx/a", "any", "/_3fsx/a", "/_3fsx/a"],
] as const)("%s is a name", (target, stage, path, raw) => {
  expect(read(target)).toEqual({ stage, key: path, path });
  expect(read(target, true)).toEqual({ stage, key: raw, path });
});

test.each(["/_3fs_x/a", "/_3fs_/a", "/_3fs_0", "/_3fs_-1/a", "/_3fs_1.5/a", "/_3fs_0.records/abc"])(
  "%s names no stage",
  (target) => expect(read(target)).toBe("bad"),
);

const layout = new Layout("_3fs");

test("data are where 3fsd had them, records where no client's name leads", () => {
  fc.assert(
    fc.property(fc.webPath(), (target) => {
      const asked = read(`/_3fs_3/${target}`);
      if (asked === undefined || asked === "bad") return;
      const places = layout.places({ stage: 3, key: asked.key, path: asked.path });
      expect(places.data).toBe(`/_3fs_3${asked.path}`);
      expect(places.record).toMatch(/^\/_3fs_3\.records\/([0-9a-f]{3})\/\1[0-9a-f]{61}$/);
      expect(read(places.record)).toBe("bad");
    }),
  );
});

test("raw names of one path do not share their data", () => {
  const of = (key: string) => layout.places({ stage: 0, key, path: "/a b" });
  expect(of("/a%20b").data).toBe("/_3fs_0/a b");
  const all = ["/a%20b", "/a%20b?x=1", "/a%20b?x=2", "/%61%20b"].map((key) => of(key));
  expect(new Set(all.map(({ data }) => data)).size).toBe(4);
  expect(new Set(all.map(({ bare }) => bare))).toEqual(new Set(["/_3fs_0/a b"]));
});
