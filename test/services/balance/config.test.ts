import { expect, test } from "bun:test";

import * as v from "valibot";

import type { Plain, Written } from "../../../src/config/edit.ts";
import { balance } from "../../../src/services/balance/balance.ts";
import { balanceSchema, enabledGroup } from "../../../src/services/balance/config.ts";

const groups = { main: { pool: "app" }, upgrade: { pool: "next" } };

test.each([
  { story: "the first group without a word", enable: undefined, enabled: "main" },
  { story: "the one that is named", enable: "upgrade", enabled: "upgrade" },
])("enabled is $story", ({ enable, enabled }) => {
  const { web } = v.parse(balanceSchema, { web: { listen: ":80", groups, enable } });
  expect(web && enabledGroup(web)).toBe(enabled);
});

test.each([
  { story: "a group that is not there", service: { groups, enable: "gone" }, path: "web.enable" },
  { story: "no groups", service: { groups: {} }, path: "web.groups" },
  { story: "no address", service: { groups, source: "here" }, path: "web.source" },
  { story: "no way", service: { groups, relay: "carry" }, path: "web.relay" },
  {
    story: "a strange name",
    service: { groups: { "a b": { pool: "x" } } },
    path: "web.groups.a b",
  },
])("refused: $story", ({ service, path }) => {
  const read = v.safeParse(balanceSchema, { web: { listen: ":80", ...service } });
  expect(read.issues?.map((issue) => v.getDotPath(issue))).toContain(path);
});

test("pools that are not there are complained of", () => {
  const config = v.parse(balanceSchema, {
    web: { listen: [":80", ":0"], groups: { main: { pool: "ap" } } },
    mail: { listen: [":25", ":80", ":0"], groups: { main: { pool: "app" } } },
  });
  expect(balance.check?.(config, { pools: { app: {} } })).toEqual([
    {
      path: ["balance", "web", "groups", "main", "pool"],
      message: 'there is no pool "ap"; did you mean "app"?',
    },
  ]);
  expect(balance.check?.(config, {})).toHaveLength(2);
});

const file = { balance: { web: { listen: ":80", groups, enable: "main" }, bare: { groups } } };
const written: Written = {
  at: (path) =>
    path.reduce<unknown>((at, step) => Reflect.get(Object(at), step), file) as Plain | undefined,
};

test.each([
  {
    change: "enable",
    input: { service: "web", group: "upgrade" },
    edits: [{ kind: "set", path: ["balance", "web", "enable"], value: "upgrade" }],
  },
  { change: "enable", input: { service: "web", group: "x" }, fails: 'web has no group "x"' },
  { change: "enable", input: { service: "x", group: "main" }, fails: 'no service "x"' },
  {
    change: "add-service",
    input: { service: "new", listen: "127.0.0.1:81", group: "main", pool: "app" },
    edits: [
      {
        kind: "set",
        path: ["balance", "new"],
        value: { listen: ["127.0.0.1:81"], groups: { main: { pool: "app" } }, enable: "main" },
      },
    ],
  },
  {
    change: "add-service",
    input: { service: "web", listen: ":81", group: "main", pool: "app" },
    fails: "already",
  },
  {
    change: "remove-service",
    input: { service: "web" },
    edits: [{ kind: "remove", path: ["balance", "web"] }],
  },
  { change: "remove-service", input: { service: "x" }, fails: 'no service "x"' },
  {
    change: "add-group",
    input: { service: "web", group: "third", pool: "app" },
    edits: [{ kind: "set", path: ["balance", "web", "groups", "third"], value: { pool: "app" } }],
  },
  {
    change: "add-group",
    input: { service: "web", group: "main", pool: "app" },
    fails: "already",
  },
  {
    change: "remove-group",
    input: { service: "web", group: "upgrade" },
    edits: [{ kind: "remove", path: ["balance", "web", "groups", "upgrade"] }],
  },
  { change: "remove-group", input: { service: "web", group: "main" }, fails: "enabled group" },
  { change: "remove-group", input: { service: "bare", group: "main" }, fails: "enabled group" },
  { change: "remove-group", input: { service: "web", group: "x" }, fails: "no group" },
])("$change: $input.service $input.group", ({ change, input, edits, fails }) => {
  const one = balance.changes?.[change];
  const run = () => one?.edits(v.parse(one.input, input), written);
  if (fails === undefined) expect(run()).toEqual(edits as ReturnType<NonNullable<typeof run>>);
  else expect(run).toThrow(fails);
});
