import { expect, test } from "bun:test";

import * as v from "valibot";

import { fieldsOf, inputOf } from "../../../src/admin/console/page/parts/fields.ts";
import { form } from "../../../src/admin/form.ts";

/** As a service would declare it. */
const schema = form(
  v.strictObject({
    pool: v.pipe(v.string(), v.description("Its name.")),
    weight: v.optional(v.pipe(v.number(), v.integer())),
    backup: v.optional(v.boolean(), false),
    to: v.picklist(["ready", "drain"]),
    paths: v.optional(v.array(v.string())),
    listen: v.union([v.string(), v.array(v.string())]),
    more: v.optional(v.record(v.string(), v.number())),
  }),
);
const fields = fieldsOf(schema, ["pool"]);

test("each property is a field of its kind", () => {
  expect(fieldsOf(schema).map(({ name, kind, required }) => [name, kind, required])).toEqual([
    ["pool", "text", true],
    ["weight", "number", false],
    ["backup", "yes-no", false],
    ["to", "choice", true],
    ["paths", "list", false],
    ["listen", "text", true],
    ["more", "json", false],
  ]);
  expect(fields.map((field) => field.name)).not.toContain("pool");
  expect(fields.find((field) => field.name === "to")?.choices).toEqual(["ready", "drain"]);
});

test.each([
  {
    story: "everything as the schema wants it",
    typed: {
      weight: "3",
      backup: "yes",
      to: "drain",
      paths: "/a\n\n /b ",
      listen: ":80",
      more: '{"a":1}',
    },
    input: {
      weight: 3,
      backup: true,
      to: "drain",
      paths: ["/a", "/b"],
      listen: ":80",
      more: { a: 1 },
    },
    wrong: {},
  },
  {
    story: "what is left empty is left out",
    typed: { to: "ready", listen: ":80", weight: " " },
    input: { to: "ready", listen: ":80" },
    wrong: {},
  },
  {
    story: "what is needed and what is no number are said",
    typed: { weight: "heavy", listen: ":80", more: "{" },
    input: { listen: ":80" },
    wrong: { to: "This is needed", weight: "A number, please", more: "JSON, please" },
  },
])("$story", ({ typed, input, wrong }) => {
  expect(inputOf(fields, typed)).toEqual({ input, wrong });
});
