import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";

import { load } from "../../src/config/load.ts";
import { ConfigError, showProblem } from "../../src/config/problem.ts";
import { Secret } from "../../src/config/secret.ts";
import { DEFAULT_SOCKET } from "../../src/core/socket-options.ts";
import { demo, ENV, LATER, readFile } from "./demo.ts";

const options = { file: "tern.yaml", sections: { demo }, later: LATER, env: ENV, readFile };

test("secrets are revealed to who asks, and to nobody else", () => {
  const text = 'demo: { secret: "file:./token", password: "$argon2id$x" }';
  const loaded = load(text, { ...options, base: "/etc/tern" });
  if (!loaded.ok) throw new ConfigError(loaded.problems);
  const { secret } = loaded.sections["demo"] as { secret: Secret };
  expect(secret.reveal()).toBe("from a file");
  expect(Bun.inspect(loaded.sections)).not.toContain("from a file");
  expect(`${new Secret("x")} ${JSON.stringify([new Secret("x")])}`).toBe('*** ["***"]');
});

test("files and the environment are real ones unless others are handed in", () => {
  const folder = mkdtempSync(join(tmpdir(), "tern-config-"));
  try {
    writeFileSync(join(folder, "token"), "t0ken\r\n");
    const file = join(folder, "tern.yaml");
    const read = (text: string) => load(text, { file, sections: { demo }, later: [] });
    const loaded = read("demo: { secret: file:token, root: www }");
    if (!loaded.ok) throw new ConfigError(loaded.problems);
    const section = loaded.sections["demo"] as { secret: Secret; root: string };
    expect(section.secret.reveal()).toBe("t0ken");
    expect(section.root).toBe(join(folder, "www"));
    const missing = read("demo: { secret: file:nope }");
    expect(missing.ok || missing.problems[0]?.message).toBe(
      `cannot read file:nope: ${join(folder, "nope")}: no such file`,
    );
    const directory = read("demo: { secret: file:. }");
    expect(directory.ok || directory.problems[0]?.message).toContain("it is a directory");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a file that says nothing of sockets has their defaults", () => {
  const loaded = load("", options);
  expect(loaded.ok && loaded.root.socket).toEqual(DEFAULT_SOCKET);
});

test("a ConfigError says everything; in colour for a terminal", () => {
  const loaded = load("workers: 0\nx: 1\n", options);
  if (loaded.ok) throw new Error("must not load");
  const error = new ConfigError(loaded.problems);
  expect(error.message).toContain("tern.yaml:1:10: workers: expected");
  expect(error.message).toContain('tern.yaml:2:1: unknown section "x"');
  const [first] = loaded.problems;
  expect(first && showProblem(first, { color: true })).toStartWith(
    "\x1b[1mtern.yaml:1:10:\x1b[0m \x1b[31m",
  );
});

test.each([
  [
    "aliases that multiply",
    `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${"*a,".repeat(9)}]\nc: &c [${"*b,".repeat(9)}]\nd: &d [${"*c,".repeat(9)}]\ndemo: [${"*d,".repeat(9)}]`,
  ],
  ["brackets without end", `demo: ${"[".repeat(20_000)}`],
  ["maps without end", `demo: ${"{a: ".repeat(5000)}`],
  ["an alias within itself", "demo: &a { sites: *a }"],
])("%s are refused and not a crash", (_, text) => expect(load(text, options).ok).toBe(false));

const VALID = `
workers: auto # all of them
state: ./var
admin: { users: [{ name: a, password: "file:guest.hash" }] }
tls:
  certificates:
    - { cert: a.pem, key: a.key }
socket: &s { backlog: 7, trusted: [10.0.0.1-9, ::1] }
demo:
  duration: 5s
  listen: [":80", "[::1]:80", "unix:/x"]
  hosts: 10.0.0.1-10:8000
  secret: |
    HUNTER2
  password: "$argon2id$v=19$m=8,t=1,p=1$HUNTER2$HUNTER2"
  socket: { <<: *s, fast_open: 3 }
  servers:
    - 10.0.0.1:80
    - { name: b, weight: 2 }
  sites: { a: &x {}, b: *x, "c.d": { on: true } }
`;

test("the text that is mutated below loads", () => {
  const loaded = load(VALID, { ...options, base: "/etc/tern" });
  expect(loaded).toMatchObject({ ok: true, warnings: [] });
});

const piece = fc.constantFrom(
  ..."{}[]:,&*!|>#?-'\"%@`\n\t \r\0~",
  ": ",
  "- ",
  "<<: *s",
  "*x",
  "&x ",
  "---\n",
  "...\n",
  "null",
  "1e999",
  "0x10",
  "\u{1f600}",
  "\ud800",
  "\ufeff",
  "__proto__: 1\n",
  "dns: {}\n",
);
const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  drop: fc.integer({ min: 0, max: 12 }),
  put: fc.oneof(piece, fc.constant(""), fc.string({ maxLength: 5 })),
});

function mutate(text: string, edits: readonly { at: number; drop: number; put: string }[]): string {
  return edits.reduce((text, { at, drop, put }) => {
    const i = Math.floor(at * text.length);
    return text.slice(0, i) + put + text.slice(i + drop);
  }, text);
}

test("no text makes it throw, and every problem has a place", () => {
  const text = fc.oneof(
    {
      weight: 9,
      arbitrary: fc
        .array(edit, { minLength: 1, maxLength: 6 })
        .map((edits) => mutate(VALID, edits)),
    },
    { weight: 1, arbitrary: fc.string() },
  );
  fc.assert(
    fc.property(text, (text) => {
      const loaded = load(text, { ...options, base: "/etc/tern" });
      if (loaded.ok) return;
      expect(loaded.problems.length).toBeGreaterThan(0);
      const lines = text.split("\n");
      for (const { line, column, message, excerpt } of loaded.problems) {
        expect(message).not.toBe("");
        expect(line >= 1 && line <= lines.length).toBe(true);
        expect(column >= 1 && column <= (lines[line - 1] ?? "").length + 1).toBe(true);
        expect(excerpt.split("\n").length).toBeLessThanOrEqual(2);
      }
    }),
    { numRuns: 300 },
  );
});

test("a config that is JSON is read the same", () => {
  const value = fc.record(
    {
      count: fc.nat(),
      root: fc.stringMatching(/^\/[ -~]{1,20}$/),
      side: fc.constantFrom("left", "right"),
      sites: fc.dictionary(
        fc.stringMatching(/^[ -~]{1,8}$/).filter((name) => !(name in {})),
        fc.record({ on: fc.boolean() }),
      ),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(value, (value) => {
      const loaded = load(JSON.stringify({ demo: value }), options);
      if (!loaded.ok) throw new ConfigError(loaded.problems);
      const { root: _, ...rest } = value;
      expect(loaded.sections["demo"]).toMatchObject(rest);
    }),
  );
});

test.each([
  ["no closing quote", 'demo: { secret: "HUNTER2, count: 1 }'],
  ["a tab", "demo:\n\tsecret: HUNTER2"],
  ["a wrong value", "demo: { secret: {a: HUNTER2} }"],
  ["a wrong hash", "demo: { password: HUNTER2 }"],
  ["no map at all", "demo: { servers: { password: HUNTER2 } }"],
  ["an unknown key", "demo: { tokken: 1, token: HUNTER2 }"],
])("a secret is not in what is said of it: %s", (_, text) => {
  const loaded = load(text, options);
  if (loaded.ok) throw new Error("must not load");
  const shown = new ConfigError(loaded.problems).message;
  expect(shown).not.toContain("HUNTER2");
});

test("a hash that this machine cannot check is refused where it stands", () => {
  const text = "admin: { users: [{ name: a, password: iya2/im3qjwhU }] }";
  const loaded = load(text, { ...options, verifies: () => false });
  expect(loaded.ok || loaded.problems[0]?.message).toBe(
    "this is a hash (des) that the C library of this machine cannot check; make one with `tern hash-password`",
  );
});
