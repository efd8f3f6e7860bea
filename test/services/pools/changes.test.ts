/** What becomes of a config's text when an operator changes the pools. */
import { describe, expect, test } from "bun:test";

import fc from "fast-check";
import * as v from "valibot";

import { edit, written } from "../../../src/config/edit.ts";
import { load } from "../../../src/config/load.ts";
import { changes } from "../../../src/services/pools/changes.ts";
import { type PoolsConfig, poolsSchema } from "../../../src/services/pools/config.ts";

const TEXT = `pools:
  app: # ours
    hosts:
      - 10.0.0.1:80 # one
      # nine of them
      - 10.0.1.1-9:80 # nine
      - { name: two, address: "10.0.0.2:80", weight: 2 } # two
      - { address: 10.0.2.1-3:80, backup: true }
  lone: { hosts: [db.test:5432] }
  none: {}
`;

type Name = keyof typeof changes;

/** The text after a change; the input goes through the change's own schema. */
function after(name: Name, input: object, text = TEXT): string {
  const change = changes[name];
  const read: never = v.parse(change.input, input) as never; // its own schema made it
  const made = edit(text, change.edits(read, written(text)));
  const loaded = load(made, { file: "t", sections: { pools: poolsSchema }, later: [] });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("\n"));
  return made;
}

/** Lines that went, and lines that came. */
function changed(name: Name, input: object): string[] {
  const made = after(name, input).split("\n");
  const was = TEXT.split("\n");
  return [
    ...was.filter((line) => !made.includes(line)).map((line) => `-${line.trim()}`),
    ...made.filter((line) => !was.includes(line)).map((line) => `+${line.trim()}`),
  ];
}

describe("one host of the list", () => {
  test.each<{ story: string; name: Name; input: object; says: string[] }>([
    {
      story: "a text becomes a map",
      name: "state",
      input: { pool: "app", host: "10.0.0.1:80", to: "drain" },
      says: ["-- 10.0.0.1:80 # one", "+- { address: 10.0.0.1:80, state: drain } # one"],
    },
    {
      story: "by its name",
      name: "state",
      input: { pool: "app", host: "two", to: "down" },
      says: [
        '-- { name: two, address: "10.0.0.2:80", weight: 2 } # two',
        '+- { name: two, address: "10.0.0.2:80", weight: 2, state: down } # two',
      ],
    },
    {
      story: "ready as it was",
      name: "state",
      input: { pool: "app", host: "two", to: "ready" },
      says: [],
    },
    {
      story: "by its address, though it has a name",
      name: "weight",
      input: { pool: "app", host: "10.0.0.2:80", weight: 5 },
      says: [
        '-- { name: two, address: "10.0.0.2:80", weight: 2 } # two',
        '+- { name: two, address: "10.0.0.2:80", weight: 5 } # two',
      ],
    },
    {
      story: "one of a range: the rest stays a range",
      name: "state",
      input: { pool: "app", host: "10.0.1.4:80", to: "drain" },
      says: [
        "-- 10.0.1.1-9:80 # nine",
        "+- 10.0.1.1-3:80",
        "+- { address: 10.0.1.4:80, state: drain }",
        "+- 10.0.1.5-9:80 # nine",
      ],
    },
    {
      story: "the first of a range",
      name: "weight",
      input: { pool: "app", host: "10.0.1.1:80", weight: 3 },
      says: [
        "-- 10.0.1.1-9:80 # nine",
        "+- { address: 10.0.1.1:80, weight: 3 }",
        "+- 10.0.1.2-9:80 # nine",
      ],
    },
    {
      story: "the middle of a range of three, whose other keys all keep",
      name: "state",
      input: { pool: "app", host: "10.0.2.2:80", to: "down" },
      says: [
        "-- { address: 10.0.2.1-3:80, backup: true }",
        "+- { address: 10.0.2.1:80, backup: true }",
        "+- { address: 10.0.2.2:80, backup: true, state: down }",
        "+- { address: 10.0.2.3:80, backup: true }",
      ],
    },
    {
      story: "one taken out of a range",
      name: "remove-host",
      input: { pool: "app", host: "10.0.1.9:80" },
      says: ["-- 10.0.1.1-9:80 # nine", "+- 10.0.1.1-8:80 # nine"],
    },
    {
      story: "one taken out",
      name: "remove-host",
      input: { pool: "app", host: "10.0.0.1:80" },
      says: ["-- 10.0.0.1:80 # one"],
    },
    {
      story: "a name",
      name: "state",
      input: { pool: "lone", host: "DB.test:5432", to: "drain" },
      says: [
        "-lone: { hosts: [db.test:5432] }",
        "+lone: { hosts: [{ address: db.test:5432, state: drain }] }",
      ],
    },
  ])("$story", ({ name, input, says }) => {
    expect(changed(name, input)).toEqual(says);
  });

  test("a state and back again is the same list", () => {
    const drained = after("state", { pool: "app", host: "10.0.0.1:80", to: "drain" });
    expect(after("state", { pool: "app", host: "10.0.0.1:80", to: "ready" }, drained)).toBe(TEXT);
  });

  test("whatever is asked, all other hosts are as before", () => {
    const hosts = [
      "10.0.0.1:80",
      "two",
      "10.0.2.1:80",
      "10.0.2.2:80",
      "10.0.2.3:80",
      ...Array.from({ length: 9 }, (_, i) => `10.0.1.${i + 1}:80`),
    ];
    const read = (text: string) => {
      const loaded = load(text, { file: "t", sections: { pools: poolsSchema }, later: [] });
      if (!loaded.ok) throw new Error("it does not load");
      return (loaded.sections["pools"] as PoolsConfig)["app"]?.hosts ?? [];
    };
    const one = fc.record({
      host: fc.constantFrom(...hosts),
      to: fc.constantFrom("ready", "drain", "down"),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 6 }), (asked) => {
        let text = TEXT;
        for (const { host, to } of asked) text = after("state", { pool: "app", host, to }, text);
        const last = new Map(asked.map(({ host, to }) => [host, to]));
        const wanted = read(TEXT).map((host) => ({
          ...host,
          state: last.get(host.label) ?? "ready",
        }));
        expect(read(text)).toEqual(wanted as never);
      }),
      { numRuns: 40 },
    );
  });
});

describe("hosts and pools come and go", () => {
  test.each<{ story: string; name: Name; input: object; says: string[] }>([
    {
      story: "an address",
      name: "add-host",
      input: { pool: "app", address: "10.0.0.7:80" },
      says: ["+- 10.0.0.7:80"],
    },
    {
      story: "with all there is to say",
      name: "add-host",
      input: {
        pool: "app",
        address: "10.0.0.7:80",
        name: "seven",
        weight: 3,
        backup: true,
        slow_start: "30s",
        max_connections: 9,
        state: "drain",
      },
      says: [
        "+- address: 10.0.0.7:80",
        ...["name: seven", "weight: 3", "backup: true"].map((line) => `+${line}`),
        ...["slow_start: 30s", "max_connections: 9", "state: drain"].map((line) => `+${line}`),
      ],
    },
    {
      story: "a range",
      name: "add-host",
      input: { pool: "lone", address: "10.0.0.1-3:80" },
      says: ["-lone: { hosts: [db.test:5432] }", "+lone: { hosts: [db.test:5432, 10.0.0.1-3:80] }"],
    },
    {
      story: "the first",
      name: "add-host",
      input: { pool: "none", address: "srv:_x._tcp.test" },
      says: ["-none: {}", "+none: { hosts: [srv:_x._tcp.test] }"],
    },
    {
      story: "a pool",
      name: "add-pool",
      input: { pool: "new", scheduler: "p2c" },
      says: ["+new: { scheduler: p2c, hosts: [] }"],
    },
    {
      story: "no pool",
      name: "remove-pool",
      input: { pool: "lone" },
      says: ["-lone: { hosts: [db.test:5432] }"],
    },
    {
      story: "another scheduler",
      name: "scheduler",
      input: { pool: "none", scheduler: "maglev" },
      says: ["-none: {}", "+none: { scheduler: maglev }"],
    },
    {
      story: "the last host, by force",
      name: "remove-host",
      input: { pool: "lone", host: "db.test:5432", force: true },
      says: ["-lone: { hosts: [db.test:5432] }", "+lone: { hosts: [] }"],
    },
    {
      story: "all hosts",
      name: "remove-all-hosts",
      input: { pool: "lone" },
      says: ["-lone: { hosts: [db.test:5432] }", "+lone: { hosts: [] }"],
    },
  ])("$story", ({ name, input, says }) => {
    expect(changed(name, input)).toEqual(says);
  });

  test("the first pool of all", () => {
    expect(after("add-pool", { pool: "app" }, "web: {}\n".replace("web: {}\n", "\n"))).toContain(
      "app:",
    );
  });
});

describe("refused, in words for the operator", () => {
  const few =
    "10.0.0.1:80, 10.0.1.1:80, 10.0.1.2:80, 10.0.1.3:80, 10.0.1.4:80, 10.0.1.5:80, 10.0.1.6:80, 10.0.1.7:80, 10.0.1.8:80, 10.0.1.9:80, two, 10.0.2.1:80 and 2 more";
  test.each<{ name: Name; input: object; says: string }>([
    {
      name: "state",
      input: { pool: "app", host: "x", to: "drain" },
      says: `pool app has no host "x"; it has ${few}`,
    },
    {
      name: "state",
      input: { pool: "lone", host: "db.tset:5432", to: "drain" },
      says: 'pool lone has no host "db.tset:5432"; it has db.test:5432; did you mean "db.test:5432"?',
    },
    {
      name: "weight",
      input: { pool: "none", host: "x", weight: 1 },
      says: 'pool none has no host "x"; it has none',
    },
    {
      name: "state",
      input: { pool: "lone", host: "db.test:5432/10.0.0.1:5432", to: "down" },
      says: 'pool lone has no host "db.test:5432/10.0.0.1:5432": that is one address of db.test:5432, which can only be changed as a whole',
    },
    {
      name: "scheduler",
      input: { pool: "ap", scheduler: "p2c" },
      says: 'there is no pool "ap"; there are app, lone, none; did you mean "app"?',
    },
    { name: "add-pool", input: { pool: "app" }, says: "there is a pool app already" },
    {
      name: "add-host",
      input: { pool: "app", address: "10.0.1.8-12:80" },
      says: 'pool app has a host "10.0.1.8:80" already',
    },
    {
      name: "add-host",
      input: { pool: "app", address: "10.9.9.9:80", name: "two" },
      says: 'pool app has a host "two" already',
    },
    {
      name: "add-host",
      input: { pool: "app", address: "10.9.9.1-9:80", name: "x" },
      says: "a name is for one host, and 10.9.9.1-9:80 are 9",
    },
    {
      name: "remove-host",
      input: { pool: "lone", host: "db.test:5432" },
      says: "db.test:5432 is the last host of pool lone that takes clients: use force to remove it",
    },
  ])("$name: $says", ({ name, input, says }) => {
    expect(() => after(name, input)).toThrow(says);
  });

  test("the last that takes clients, though others are there", () => {
    const text =
      "pools: { app: { hosts: [10.0.0.1:80, { address: 10.0.0.2:80, state: drain }] } }\n";
    expect(() => after("remove-host", { pool: "app", host: "10.0.0.1:80" }, text)).toThrow(
      "the last host",
    );
    expect(after("remove-host", { pool: "app", host: "10.0.0.2:80" }, text)).toContain(
      "[10.0.0.1:80]",
    );
  });

  test.each<{ name: Name; input: object }>([
    { name: "state", input: { pool: "app", host: "two", to: "up" } },
    { name: "weight", input: { pool: "app", host: "two", weight: -1 } },
    { name: "weight", input: { pool: "app", host: "two", weight: 1001 } },
    { name: "add-host", input: { pool: "app", address: "10.0.0.1" } },
    { name: "add-host", input: { pool: "app", address: "10.0.0.1:80", wieght: 1 } },
    { name: "add-host", input: { pool: "app", address: "10.0.0.1:80", slow_start: "soon" } },
    { name: "add-pool", input: { pool: "" } },
  ])("$name does not take $input", ({ name, input }) => {
    expect(v.safeParse(changes[name].input, input).success).toBe(false);
  });
});
