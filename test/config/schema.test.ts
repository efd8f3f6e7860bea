import { expect, test } from "bun:test";
import { join } from "node:path";

import { SECTIONS } from "../../src/app/services.ts";
import { jsonSchema } from "../../src/config/schema.ts";
import { demo } from "./demo.ts";

const FILE = join(import.meta.dir, "../../conf/schema.json");

test("conf/schema.json is what the declarations say (else: tern schema > conf/schema.json)", async () => {
  const schema = await jsonSchema(SECTIONS);
  expect(JSON.parse(await Bun.file(FILE).text())).toEqual(JSON.parse(JSON.stringify(schema)));
});

test("an editor learns names, forms, defaults and choices", async () => {
  const schema = await jsonSchema({ demo });
  const section = schema.properties?.["demo"];
  expect(section).toMatchObject({
    type: "object",
    additionalProperties: false,
    properties: {
      duration: { examples: ["250ms", "5s", "2m"], default: "5s" },
      side: { enum: ["left", "right"] },
      servers: { type: "array", items: { anyOf: [{}, { type: "object", required: ["name"] }] } },
      sites: { additionalProperties: { properties: { on: { type: "boolean", default: true } } } },
    },
  });
  expect(schema.properties).toMatchObject({
    workers: { anyOf: [{ const: "auto" }, { type: "integer" }], default: "auto" },
    admin: { properties: { users: { items: { required: ["name", "password"] } } } },
  });
  expect(schema.additionalProperties).toBe(false);
});

test("patterns take every example", async () => {
  const schema = JSON.parse(JSON.stringify(await jsonSchema({ demo })));
  const checked: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const { pattern, examples } = value as { pattern?: string; examples?: string[] };
    if (typeof pattern === "string" && Array.isArray(examples))
      for (const example of examples) {
        expect(example).toMatch(new RegExp(pattern));
        checked.push(example);
      }
    Object.values(value).forEach(walk);
  };
  walk(schema);
  expect(checked).toContain("250ms");
});
