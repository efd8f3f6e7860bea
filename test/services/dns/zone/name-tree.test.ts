import { expect, test } from "bun:test";

import fc from "fast-check";

import { NamePath } from "../../../../src/services/dns/zone/name-path.ts";
import { APEX, NameTree, NONE } from "../../../../src/services/dns/zone/name-tree.ts";
import { compareCanonical, showName } from "../../../../src/wire/dns/name.ts";
import { wire } from "./ask.ts";

function path(name: string | Uint8Array): NamePath {
  const read = new NamePath();
  read.read(typeof name === "string" ? wire(name) : name, 0);
  return read;
}

test("names between are made, and found", () => {
  const tree = new NameTree(wire("Example."));
  const node = tree.place(path("a.B.c.example."));
  expect(tree.size).toBe(4);
  expect(showName(tree.name(node))).toBe("a.b.c.example.");
  expect(tree.find(path("A.b.C.EXAMPLE."))).toBe(node);
  expect(tree.find(path("b.c.example."))).toBe(tree.parent(node));
  expect(tree.find(path("example."))).toBe(APEX);
  expect(tree.find(path("x.b.c.example."))).toBe(NONE);
  expect(tree.find(path("x.y.z.example."))).toBe(NONE);
  expect(tree.isWildcard(tree.place(path("*.example.")))).toBe(true);
  expect(tree.isWildcard(APEX)).toBe(false);
});

test("whether a name is at or below", () => {
  const under = (name: string, zone: string): boolean => {
    const origin = path(zone);
    return path(name).isUnder(origin.bytes.slice(0, origin.length), origin.count);
  };
  expect(under("www.example.", "example.")).toBe(true);
  expect(under("Example.", "example.")).toBe(true);
  expect(under("wwwexample.", "example.")).toBe(false);
  expect(under("com.", "example.com.")).toBe(false);
  expect(under("x.y.", ".")).toBe(true);
  expect(under(".", ".")).toBe(true);
});

const label = fc.uint8Array({ minLength: 1, maxLength: 5 });
const names = fc.array(
  fc
    .array(label, { maxLength: 6 })
    .map((labels) =>
      Uint8Array.of(...labels.flatMap((one) => [one.length, ...one]), ...wire("example.")),
    ),
  { maxLength: 50 },
);

test("every name that was placed is found, by its own name", () => {
  fc.assert(
    fc.property(names, (all) => {
      const tree = new NameTree(wire("example."));
      const nodes = new Map<string, number>();
      for (const name of all) nodes.set(showName(name).toLowerCase(), tree.place(path(name)));
      for (const _ of tree.trim());
      for (const name of all) {
        const node = tree.find(path(name));
        expect(compareCanonical(tree.name(node), name)).toBe(0);
      }
      for (let node = 1; node < tree.size; node++) {
        expect(tree.parent(node)).toBeLessThan(node);
        expect(tree.find(path(tree.name(node)))).toBe(node);
      }
    }),
  );
});

test("while its table grows, what was placed is found and what was not is not", () => {
  const tree = new NameTree(wire("example."));
  const name = (i: number): NamePath => path(wire(`n${i}.example.`));
  const sizes = [500, 511, 512, 513, 520, 600, 1024, 1100, 5000, 20_000];
  for (let i = 0; i < 20_000; i++) {
    expect(tree.place(name(i))).toBe(i + 1);
    if (!sizes.includes(i)) continue;
    for (let k = 0; k <= i; k++) if (tree.find(name(k)) !== k + 1) throw new Error(`${k} of ${i}`);
    expect([tree.find(name(i + 1)), tree.size]).toEqual([NONE, i + 2]);
  }
  for (const _ of tree.trim()) expect(tree.find(name(7))).toBe(8);
  for (let k = 0; k < 20_000; k++) if (tree.find(name(k)) !== k + 1) throw new Error(`${k}`);
});
