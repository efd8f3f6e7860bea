import { describe, expect, test } from "bun:test";

import fc from "fast-check";
import { parse, stringify } from "yaml";

import {
  difference,
  type Edit,
  edit,
  editAlike,
  type Plain,
  written,
} from "../../src/config/edit.ts";
import type { KeyPath } from "../../src/config/key-path.ts";

const CONFIG = `# top
pools:                 # groups
  app:   # the app
    scheduler: leastconns   # why
    hosts:
      # first
      - 10.0.0.1:80   # one
      - { name: two, address: "10.0.0.2:8080", weight: 2 } # two
      - name: three
        # about address
        address: 10.0.0.3:80
      # - commented
    check: { kind: http,
      path: /health }
  other: {}

web:
  site:
    root: 'www'   # q
    text: |
      some
      more

    empty:
    last: 1
`;
const hosts: KeyPath = ["pools", "app", "hosts"];
const set = (path: KeyPath, value: Plain): Edit => ({ kind: "set", path, value });
const remove = (path: KeyPath): Edit => ({ kind: "remove", path });
const append = (path: KeyPath, value: Plain): Edit => ({ kind: "append", path, value });

/** Lines that went and came, as diff shows them. */
function lines(before: string, after: string): string[] {
  const [old, next] = [before.split("\n"), after.split("\n")];
  let top = 0;
  while (top < old.length && top < next.length && old[top] === next[top]) top++;
  let bottom = 0;
  while (
    bottom < Math.min(old.length, next.length) - top &&
    old.at(-1 - bottom) === next.at(-1 - bottom)
  )
    bottom++;
  const middle = (all: string[]) => all.slice(top, all.length - bottom);
  return [...middle(old).map((l) => `-${l}`), ...middle(next).map((l) => `+${l}`)];
}

describe("only the lines of the value change", () => {
  test.each<{ story: string; edits: Edit[]; says: string[] }>([
    {
      story: "a word",
      edits: [set(["pools", "app", "scheduler"], "maglev")],
      says: ["-    scheduler: leastconns   # why", "+    scheduler: maglev   # why"],
    },
    {
      story: "quotes stay",
      edits: [set(["web", "site", "root"], "it's")],
      says: ["-    root: 'www'   # q", "+    root: 'it''s'   # q"],
    },
    {
      story: "an address becomes a map",
      edits: [set([...hosts, 0], { address: "10.0.0.1:80", state: "drain" })],
      says: [
        "-      - 10.0.0.1:80   # one",
        "+      - { address: 10.0.0.1:80, state: drain }   # one",
      ],
    },
    {
      story: "a key between brackets",
      edits: [set([...hosts, 1, "state"], "drain")],
      says: [
        '-      - { name: two, address: "10.0.0.2:8080", weight: 2 } # two',
        '+      - { name: two, address: "10.0.0.2:8080", weight: 2, state: drain } # two',
      ],
    },
    {
      story: "the first key between brackets goes",
      edits: [remove([...hosts, 1, "name"])],
      says: [
        '-      - { name: two, address: "10.0.0.2:8080", weight: 2 } # two',
        '+      - { address: "10.0.0.2:8080", weight: 2 } # two',
      ],
    },
    {
      story: "the last key between brackets goes, from a line of its own",
      edits: [remove(["pools", "app", "check", "path"])],
      says: ["-    check: { kind: http,", "-      path: /health }", "+    check: { kind: http }"],
    },
    {
      story: "a key behind a dash",
      edits: [set([...hosts, 2, "weight"], 4)],
      says: ["+        weight: 4"],
    },
    {
      story: "the first key behind a dash goes; the comment below stays",
      edits: [remove([...hosts, 2, "name"])],
      says: ["-      - name: three", "+      -"],
    },
    {
      story: "an item goes, with the comment on its line",
      edits: [remove([...hosts, 0])],
      says: ["-      - 10.0.0.1:80   # one"],
    },
    {
      story: "an item comes, before what was commented out",
      edits: [append(hosts, "[::1]:80")],
      says: ['+      - "[::1]:80"'],
    },
    {
      story: "into an empty map",
      edits: [set(["pools", "other", "hosts"], ["a:1"])],
      says: ["-  other: {}", "+  other: { hosts: [a:1] }"],
    },
    {
      story: "a whole pool",
      edits: [set(["pools", "new"], { hosts: ["a:1", { name: "x", address: "b:2" }] })],
      says: ["+  new:", "+    hosts:", "+      - a:1", "+      - { name: x, address: b:2 }"],
    },
    {
      story: "a section, with a blank line before it as the others have",
      edits: [set(["balance", "s"], { listen: ":80", groups: { main: { pool: "app" } } })],
      says: [
        "+balance:",
        "+  s:",
        "+    listen: :80",
        "+    groups:",
        "+      main: { pool: app }",
        "+",
      ],
    },
    {
      story: "behind a key with nothing",
      edits: [set(["web", "site", "empty"], { a: { b: { c: 1 } } })],
      says: ["+      a:", "+        b: { c: 1 }"],
    },
    {
      story: "a block of text becomes a word",
      edits: [set(["web", "site", "text"], "one")],
      says: ["-    text: |", "-      some", "-      more", "+    text: one"],
    },
    { story: "nothing, when it is so already", edits: [set(["web", "site", "last"], 1)], says: [] },
    { story: "nothing, when it is not there", edits: [remove(["dns", "ns"])], says: [] },
  ])("$story", ({ edits, says }) => {
    expect(lines(CONFIG, edit(CONFIG, edits))).toEqual(says);
  });

  test("a list that loses all of its items keeps the comments between them", () => {
    const after = edit(CONFIG, [set(hosts, [])]);
    expect(after).toContain("    hosts: []\n      # first\n      # - commented\n    check:");
    expect(edit(after, [append(hosts, "a:1")])).toContain("    hosts: [a:1]\n");
  });

  test("brackets over many lines", () => {
    const text = "a: [\n  one, # 1\n  two  # 2\n]\n";
    expect(edit(text, [append(["a"], "three")])).toBe(
      "a: [\n  one, # 1\n  two,  # 2\n  three\n]\n",
    );
    expect(edit(text, [remove(["a", 0])])).toBe("a: [\n  two  # 2\n]\n");
    expect(edit(text, [remove(["a", 1])])).toBe("a: [\n  one # 1\n]\n");
  });

  test("JSON stays JSON", () => {
    const text = JSON.stringify({ web: { site: { listen: [":80"] } } }, null, 2);
    const after = edit(text, [
      append(["web", "site", "listen"], ":81"),
      set(["pools"], { app: { hosts: ["a:1"] } }),
    ]);
    expect(JSON.parse(after)).toEqual({
      web: { site: { listen: [":80", ":81"] } },
      pools: { app: { hosts: ["a:1"] } },
    });
  });

  test.each([
    { story: "an empty text", text: "", after: "a: { b: 1 }\n" },
    { story: "nothing but comments", text: "# c\n", after: "# c\na: { b: 1 }\n" },
    { story: "no line end", text: "x: 1", after: "x: 1\na: { b: 1 }\n" },
    { story: "line ends of two", text: "x: 1\r\n", after: "x: 1\r\na: { b: 1 }\r\n" },
  ])("$story", ({ text, after }) => {
    expect(edit(text, [set(["a"], { b: 1 })])).toBe(after);
  });
});

describe("anchors", () => {
  const text = "base: &b { x: 1 }\nmine: *b\nyours:\n  <<: *b\n  y: 2\n";
  test("what an alias stands for is written out where it is changed", () => {
    expect(edit(text, [set(["mine", "x"], 2)])).toBe(
      "base: &b { x: 1 }\nmine: { x: 2 }\nyours:\n  <<: *b\n  y: 2\n",
    );
  });
  test("a merged key is overruled by one's own", () => {
    expect(edit(text, [set(["yours", "x"], 2)])).toContain("  <<: *b\n  y: 2\n  x: 2\n");
  });
  test("a merged key is taken away by writing out the rest", () => {
    expect(parse(edit(text, [remove(["yours", "x"])]), { merge: true })).toMatchObject({
      yours: { y: 2 },
    });
  });
  test("what others refer to is not changed behind their backs", () => {
    expect(() => edit(text, [set(["base", "x"], 2)])).toThrow("anchor");
    expect(() => edit(text, [remove(["base"])])).toThrow("anchor");
  });
});

test.each([
  {
    story: "an item far behind the end",
    one: set([...hosts, 9], 1),
    says: "hosts[9] is not there",
  },
  { story: "below a word", one: set(["web", "site", "root", "x"], 1), says: "root is no map" },
  { story: "at the end of a word", one: append(["web", "site", "root"], 1), says: "is no list" },
])("$story is refused", ({ one, says }) => {
  expect(() => edit(CONFIG, [one])).toThrow(says);
});

test("what is written", () => {
  const it = written(CONFIG);
  expect(it.at([...hosts, 1, "weight"])).toBe(2);
  expect(it.at(["web", "site", "text"])).toBe("some\nmore\n");
  expect(it.at(["web", "site", "empty"])).toBe(null);
  expect(it.at(["web", "constructor"])).toBeUndefined();
  expect(written("").at([])).toEqual({});
});

describe("edits made to one text are made to another", () => {
  const base = "hosts:\n  - a:1\n  - { name: two, address: b:1 }\n  - c:1\nmode: x\n";
  const at = (i: number, key: string): KeyPath => ["hosts", i, key];
  test.each<{ story: string; edits: Edit[]; theirs: string; after: string }>([
    {
      story: "to the same item, wherever it is by now",
      edits: [set(at(1, "state"), "drain")],
      theirs: "hosts: [z:1, a:1, { name: two, address: b:9 }]\n",
      after: "hosts: [z:1, a:1, { name: two, address: b:9, state: drain }]\n",
    },
    {
      story: "to an item that is a bare word",
      edits: [set(["hosts", 0], { address: "a:1", state: "down" })],
      theirs: "hosts:\n  - c:1\n  - a:1 # mine\n",
      after: "hosts:\n  - c:1\n  - { address: a:1, state: down } # mine\n",
    },
    {
      story: "one after the other",
      edits: [remove(["hosts", 0]), set(at(0, "weight"), 2), append(["hosts"], "d:1")],
      theirs: "hosts: [a:1, { name: two, address: b:1 }, e:1]\n",
      after: "hosts: [{ name: two, address: b:1, weight: 2 }, e:1, d:1]\n",
    },
    {
      story: "not when it is so there already",
      edits: [remove(["hosts", 0]), set(["mode"], "y"), append(["hosts"], "d:1")],
      theirs: "hosts: [d:1]\nmode: y # y\n",
      after: "hosts: [d:1]\nmode: y # y\n",
    },
    {
      story: "what was not there is not there there either",
      edits: [set(["log"], { level: "debug" }), set(["pools", "app"], {})],
      theirs: "mode: x\n",
      after: "mode: x\nlog: { level: debug }\npools:\n  app: {}\n",
    },
  ])("$story", ({ edits, theirs, after }) => {
    expect(written(editAlike(theirs, base, edits)).at([])).toEqual(written(after).at([]));
    expect(editAlike(base, base, edits)).toBe(edit(base, edits));
  });

  test.each<{ story: string; one: Edit; theirs: string; says: string }>([
    {
      story: "an item that is gone",
      one: set(at(1, "state"), "drain"),
      theirs: "hosts: [a:1, c:1]\n",
      says: "hosts[1] is not there any more",
    },
    {
      story: "a section that is gone",
      one: set(at(1, "state"), "drain"),
      theirs: "web: {}\n",
      says: "hosts[1] is not there any more",
    },
    {
      story: "a list that is gone",
      one: append(["hosts"], "d:1"),
      theirs: "",
      says: "hosts is not there",
    },
    {
      story: "what was changed there too",
      one: set(["mode"], "y"),
      theirs: "mode: z\n",
      says: "mode was changed there too",
    },
    {
      story: "what was changed there and removed here",
      one: remove(["hosts"]),
      theirs: "hosts: [a:1]\n",
      says: "hosts was changed there too",
    },
    {
      story: "two with the same name",
      one: set(at(1, "state"), "drain"),
      theirs: "hosts: [{ name: two, a: 1 }, { name: two, b: 1 }]\n",
      says: "not there any more",
    },
  ])("$story is refused", ({ one, theirs, says }) => {
    expect(() => editAlike(theirs, base, [one])).toThrow(says);
  });
});

const word = fc.oneof(
  fc.constantFrom(
    "a",
    "b",
    "x y",
    "10.0.0.1:80",
    ":80",
    "[::1]:80",
    "#no",
    "- no",
    "*",
    "&",
    "~",
    "null",
    "1",
    "true",
    "",
    "é",
    "it's",
    '"q"',
    "a: b",
    "k,",
    "}",
  ),
  fc.string(),
);
const key = fc.constantFrom("a", "b", "c d", "1", "x", "#", "-");
const leaf = fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null));
const { value: any_ } = fc.letrec<{ value: Plain }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const map = fc.dictionary(key, any_, { maxKeys: 4, noNullPrototype: true });

/** The same value as different hands would write it, with a comment behind and above things. */
const writing = fc
  .tuple(map, fc.constantFrom("block", "flow", "json"), fc.nat(2))
  .map(([value, how, comments]) => {
    const plain =
      how === "json"
        ? JSON.stringify(value, null, 2)
        : stringify(value, { lineWidth: 0, collectionStyle: how === "flow" ? "flow" : "block" });
    let n = 0;
    const said =
      comments === 0 || how === "json"
        ? plain
        : plain.replaceAll(
            /^( *)((?:- )*)([a-z]: [a-z0-9]+|- [a-z]+)$/gm,
            (_, pad: string, dash: string, rest: string) =>
              n++ % 2 ? `${pad}# c${n}\n${pad}${dash}${rest}` : `${pad}${dash}${rest}  # c${n}`,
          );
    return { value, text: said };
  });

test("an item twice is two items, made again elsewhere too", () => {
  const text = "a:\n  []\n";
  const after = edit(text, [set([], { a: [[], []] })]);
  expect(written(editAlike(text, text, difference(text, after))).at(["a"])).toEqual([[], []]);
  // Who has them already gets no third.
  expect(written(editAlike(after, text, difference(text, after))).at(["a"])).toEqual([[], []]);
});

test("one text's values become another's, whatever hand wrote it", () => {
  fc.assert(
    fc.property(writing, map, ({ text }, target) => {
      const before = written(text).at([]);
      fc.pre(before !== undefined);
      const after = edit(text, [set([], target)]);
      expect(written(after).at([])).toEqual(target);
      // And what leads from one to the other, replayed, leads there again.
      expect(written(edit(text, difference(text, after))).at([])).toEqual(target);
      expect(written(editAlike(text, text, difference(text, after))).at([])).toEqual(target);
    }),
    { numRuns: 150 },
  );
});

test("a value set anywhere is read back, and comments elsewhere survive", () => {
  fc.assert(
    fc.property(any_, fc.constantFrom(...paths()), (value, path) => {
      const after = edit(CONFIG, [set(path, value)]);
      expect(written(after).at(path)).toEqual(value);
      const inside = new Set(COMMENTS_INSIDE[path.join(".")] ?? []);
      for (const comment of CONFIG.match(/# .*$/gm) ?? [])
        if (!inside.has(comment)) expect(after).toContain(comment);
      const [pools = "", web = ""] = CONFIG.split(/^(?=web:)/m);
      expect(path[0] === "pools" ? after.endsWith(web) : after.startsWith(pools)).toBe(true);
      // Whatever is said elsewhere is still said.
      const other = paths().find((p) => p[0] !== path[0]) ?? [];
      expect(written(after).at(other)).toEqual(written(CONFIG).at(other) as Plain);
    }),
    { numRuns: 150 },
  );
});

const paths = (): KeyPath[] => [
  ["pools", "app", "scheduler"],
  [...hosts, 0],
  [...hosts, 1],
  [...hosts, 1, "address"],
  [...hosts, 2],
  [...hosts, 2, "name"],
  [...hosts, 3],
  hosts,
  ["pools", "app", "check"],
  ["pools", "other"],
  ["pools", "new"],
  ["web", "site", "text"],
  ["web", "site", "empty"],
  ["web", "new"],
  ["new"],
];
/** Comments inside of a value go with it. */
const COMMENTS_INSIDE: Record<string, string[]> = {
  "pools.app.hosts": ["# first", "# one", "# two", "# about address", "# - commented"],
  "pools.app.hosts.2": ["# about address"],
};
