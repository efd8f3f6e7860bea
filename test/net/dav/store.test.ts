import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { join } from "node:path";

import fc from "fast-check";

import type { Lock } from "../../../src/net/dav/locks.ts";
import { ancestors, beneath, within } from "../../../src/net/dav/paths.ts";
import { Store } from "../../../src/net/dav/store.ts";
import { temporary } from "../../fake/temporary.ts";

const NOW = 1000;
const lock = (token: string, path: string, more: Partial<Lock> = {}): Lock => ({
  token,
  path,
  collection: false,
  exclusive: true,
  infinite: false,
  owner: "",
  user: "",
  expires: NOW + 1,
  ...more,
});

describe("the store", () => {
  test("finds locks from above and beneath", async () => {
    await using directory = await temporary();
    const store = new Store(directory.path, () => NOW);
    await store.exclusively(() => {
      for (const l of [
        lock("deep", "/w/a", { infinite: true }),
        lock("flat", "/w"),
        lock("member", "/w/a/b/c"),
        lock("beside", "/w/ab"),
        lock("over", "/w/a/b/d", { expires: NOW }),
      ])
        store.locks.add(l);
    });
    const tokens = (locks: readonly Lock[]) => locks.map((l) => l.token);
    expect(tokens(store.locks.covering("/w/a/b/c"))).toEqual(["deep", "member"]);
    expect(tokens(store.locks.covering("/w"))).toEqual(["flat"]);
    expect(tokens(store.locks.covering("/w/ab/c"))).toEqual([]);
    expect(tokens(store.locks.beneath("/w/a"))).toEqual(["member"]);
    expect(tokens(store.locks.beneath("/"))).toEqual(["flat", "deep", "member", "beside"]);
    store.close();
  });

  test("what a failed change stored is undone", async () => {
    await using directory = await temporary();
    const store = new Store(directory.path, () => NOW);
    const change = () => {
      store.properties.set("/a", { ns: "", name: "p", value: "<p/>" });
      throw new Error("no");
    };
    await expect(store.exclusively(change)).rejects.toThrow("no");
    expect(store.properties.of("/a")).toEqual([]);
    await store.exclusively(() => store.properties.set("/a", { ns: "", name: "p", value: "<p/>" }));
    expect(store.properties.of("/a")).toHaveLength(1);
    store.close();
  });

  test("waits for another process without holding up this one", async () => {
    await using directory = await temporary();
    const store = new Store(directory.path, () => NOW);
    const other = new Database(join(directory.path, "dav.sqlite"));
    other.run("BEGIN IMMEDIATE");
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    setTimeout(() => other.run("COMMIT"), 50);
    await store.exclusively(() => {});
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(5);
    other.close();
    store.close();
  });

  test("takes changes that are asked for at once, one after the other", async () => {
    await using directory = await temporary();
    const store = new Store(directory.path, () => NOW);
    const each = Array.from({ length: 6 }, (_, i) => store.exclusively(() => i));
    expect(await Promise.all(each)).toEqual([0, 1, 2, 3, 4, 5]);
    store.close();
  });

  test("refuses a file of a later version, and lets go of it", async () => {
    await using directory = await temporary();
    new Store(directory.path, () => NOW).close();
    const later = new Database(join(directory.path, "dav.sqlite"));
    later.run("PRAGMA user_version = 99");
    later.close();
    expect(() => new Store(directory.path, () => NOW)).toThrow("newer version");
  });
});

describe("paths as keys", () => {
  const path = fc
    .array(
      fc
        .string({ unit: "grapheme", minLength: 1, maxLength: 3 })
        .filter((s) => !/[/\0]/.test(s) && s.isWellFormed()),
      { maxLength: 4 },
    )
    .map((parts) => `/${parts.join("/")}`);
  const bytes = (text: string) => Buffer.from(text);

  test("a path lies beneath exactly those above it", () => {
    fc.assert(
      fc.property(path, path, (a, b) => {
        const [from, to] = beneath(a);
        const between = bytes(b).compare(bytes(from)) > 0 && bytes(b).compare(bytes(to)) < 0;
        expect(between).toBe(ancestors(b).includes(a));
        expect(within(b, a)).toBe(between || a === b);
      }),
    );
  });

  test("a tree takes its properties and locks along, whatever its name", async () => {
    await using directory = await temporary();
    const store = new Store(directory.path, () => NOW);
    await fc.assert(
      fc.asyncProperty(path, path, path, async (from, to, member) => {
        fc.pre(from !== "/" && to !== "/" && !within(from, to) && !within(to, from));
        const inside = `${from}${member === "/" ? "" : member}`;
        await store.exclusively(() => {
          store.properties.set(inside, { ns: "n", name: "p", value: "v" });
          store.locks.add(lock("t", inside));
          store.properties.moveTree(from, to);
          store.locks.moveTree(from, to);
          const moved = to + inside.slice(from.length);
          expect(store.properties.of(moved)).toHaveLength(1);
          expect(store.locks.covering(moved)).toHaveLength(1);
          expect(store.properties.of(inside)).toHaveLength(0);
          store.properties.removeTree("/");
          store.locks.removeTree("/");
        });
      }),
      { numRuns: 50 },
    );
    store.close();
  });
});
