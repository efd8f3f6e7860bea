import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { LATER, SECTIONS } from "../../src/app/services.ts";
import { load } from "../../src/config/load.ts";
import { masked } from "../../src/config/mask.ts";
import { ConfigError } from "../../src/config/problem.ts";
import { jsonSchema } from "../../src/config/schema.ts";

const CONF = join(import.meta.dir, "../../conf");

function read(name: string) {
  const text = readFileSync(join(CONF, name), "utf8");
  const loaded = load(text, { file: join(CONF, name), sections: SECTIONS, later: LATER });
  if (!loaded.ok) throw new ConfigError(loaded.problems);
  expect(loaded.warnings).toEqual([]);
  return loaded;
}

test("the default needs no root and greets on :8080", () => {
  const { root, sections } = read("default.yaml");
  expect(root.admin.listen).toEqual([{ kind: "tcp", host: "127.0.0.1", port: 9900 }]);
  expect(sections).toMatchObject({
    web: { welcome: { listen: [{ kind: "tcp", host: "", port: 8080 }], root: "builtin:welcome" } },
  });
});

test("the example loads and shows no hash once masked", () => {
  const { text } = read("tern.yaml");
  expect(text).toContain("$argon2id$v=19");
  expect(masked(text)).not.toContain("$argon2id$v=19");
});

test("the example has every key there is, commented out at least", async () => {
  const { text } = read("tern.yaml");
  // A comment line that holds YAML counts as YAML.
  const keys = new Set([...text.matchAll(/([a-z_0-9]+):/g)].map(([, key]) => key));
  const missing: string[] = [];
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null) return;
    const { properties } = value as { properties?: Record<string, unknown> };
    for (const [key, inner] of Object.entries(properties ?? {})) {
      if (!keys.has(key)) missing.push(`${path}${key}`);
      walk(inner, `${path}${key}.`);
    }
    const { additionalProperties, items, anyOf } = value as Record<string, unknown>;
    for (const inner of [additionalProperties, items, anyOf].flat()) walk(inner, path);
  };
  walk(JSON.parse(JSON.stringify(await jsonSchema(SECTIONS))), "");
  expect(missing).toEqual([]);
});

test("where the example says nothing else, it says the default", () => {
  const example = parse(readFileSync(join(CONF, "tern.yaml"), "utf8")) as Record<string, unknown>;
  const { root, sections } = read("tern.yaml");
  const bare = load("admin: {}\nweb: { site: {} }\n", {
    file: join(CONF, "tern.yaml"),
    sections: SECTIONS,
    later: LATER,
  });
  if (!bare.ok) throw new ConfigError(bare.problems);
  expect(example["workers"]).toBe("auto");
  const { accessLog: _, admin, ...rest } = root;
  const { accessLog: __, admin: bareAdmin, ...bareRest } = bare.root;
  expect(rest).toEqual(bareRest);
  expect<object>({ ...admin, users: [] }).toEqual(bareAdmin);
  // These two are off by default, and these three are empty.
  const own = ["auth", "limit", "mime_types", "expires"];
  const site = (of: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(
      Object.entries((of["web"] as { site: Record<string, unknown> }).site).filter(
        ([key]) => !own.includes(key),
      ),
    );
  expect(site(sections)).toEqual(site(bare.sections));
});
