import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { masked } from "../../src/config/mask.ts";
import { unmask } from "../../src/config/unmask.ts";

const HASH = (who: string) => `$argon2id$v=19$m=65536,t=2,p=1$c2FsdHNhbHQ$${who}aGFzaGhhc2g`;
const RUNNING = `# password: hunter1
admin:
  users:
    - { name: ann, password: "${HASH("ann")}", access: full }   # token: abc
    - name: bob
      password: ${HASH("bob")}
cluster: { redis: "redis://u:hunter2@h:1/0" }
stars: "***"
keys: [{ key: one }, { key: two }]
note: |
  password: in a text
`;

function back(text: string): string {
  const result = unmask(text, RUNNING, "t.yaml");
  if (!result.ok)
    throw new Error(result.problems.map((p) => `${p.line} ${p.path} ${p.message}`).join());
  return result.text;
}

test("what was shown comes back as it was, byte for byte", () => {
  expect(masked(RUNNING)).not.toContain("hunter");
  expect(back(masked(RUNNING))).toBe(RUNNING);
  expect(back(RUNNING)).toBe(RUNNING);
});

describe("where the text was edited", () => {
  const shown = masked(RUNNING);
  test.each([
    {
      story: "a user goes: the other keeps its own secret",
      text: shown.replace(/^ {4}- \{ name: ann.*\n/m, ""),
      has: [HASH("bob")],
      not: [HASH("ann")],
    },
    {
      story: "users change places",
      text: 'admin: { users: [{ name: bob, password: "***" }, { password: "***", name: ann }] }',
      has: [
        `{ name: bob, password: "${HASH("bob")}" }`,
        `{ password: "${HASH("ann")}", name: ann }`,
      ],
      not: ["***"],
    },
    {
      story: "another secret is written out",
      text: shown.replace('name: bob\n      password: "***"', "name: bob\n      password: new"),
      has: ["password: new", HASH("ann")],
      not: [HASH("bob")],
    },
    {
      story: "items without names, unchanged ones among them",
      text: shown.replace('{ key: "***" }]', '{ key: "***", more: 1 }]'),
      has: ["keys: [{ key: one }, { key: two, more: 1 }]"],
      not: [],
    },
    {
      story: "a URL",
      text: "cluster:\n  redis: redis://u:***@h:1/0\n",
      has: ['redis: "redis://u:hunter2@h:1/0"'],
      not: [],
    },
  ])("$story", ({ text, has, not }) => {
    const said = back(text);
    for (const part of has) expect(said).toContain(part);
    for (const part of not) expect(said).not.toContain(part);
  });
});

test.each([
  { story: "a new user", text: 'admin: { users: [{ name: eve, password: "***" }] }', at: [1, 41] },
  { story: "another key", text: 'secret: "***"\n', at: [1, 9] },
  { story: "another host", text: "cluster:\n  redis: redis://u:***@evil:1/0\n", at: [2, 10] },
  {
    story: "a list without names that has changed",
    text: 'keys: [{ key: "***", a: 1 }]',
    at: [1, 15],
  },
  {
    story: "a user named like another's place",
    text: 'admin: { users: [{ name: eve, password: "***" }, { name: bob, password: "***" }] }',
    at: [1, 41],
  },
])("a mask that stands for nothing is a problem: $story", ({ text, at }) => {
  const result = unmask(text, RUNNING, "t.yaml");
  expect(result.ok).toBe(false);
  const [problem] = result.ok ? [] : result.problems;
  expect([problem?.line, problem?.column]).toEqual([at[0], at[1]]);
  expect(problem?.message).toContain("write it out");
});

test("what is no YAML is handed on to who can say why", () => {
  for (const text of ['a: [\n  "***"', "{".repeat(5000) + "***"])
    expect(unmask(text, RUNNING, "t.yaml")).toEqual({ ok: true, text });
});

test("masking and back is the same text, whatever it says", () => {
  const word = fc.constantFrom("a", "b", "hunter2", "x y", "1", "a,b", "it's", "#", HASH("x"));
  const item = fc.record({
    name: fc.constantFrom("ann", "bob", "eve"),
    password: word,
    n: fc.nat(3),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(item, { selector: (i) => i.name }),
      fc.array(fc.record({ token: word }), { maxLength: 3 }),
      fc.constantFrom(0, 2),
      (users, list, indent) => {
        const text = JSON.stringify({ users, list, url: "http://a:b@c/" }, null, indent);
        expect(unmask(masked(text), text, "t")).toEqual({ ok: true, text });
      },
    ),
  );
});
