import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { load } from "../../src/config/load.ts";
import { showProblem } from "../../src/config/problem.ts";
import { type Cidr, showCidr } from "../../src/core/cidr.ts";
import { demo, ENV, LATER, readFile } from "./demo.ts";

const CASES = join(import.meta.dir, "cases");
/** Between the config and what comes of it. */
const RULE = /^---\n/m;

// A case is a config, `---`, then a part of its value as YAML, or all of its problems as text.
test.each(readdirSync(CASES).toSorted())("%s", (name) => {
  const whole = readFileSync(join(CASES, name), "utf8");
  const at = whole.search(RULE);
  const [text, expected] = [whole.slice(0, at), whole.slice(at + 4)];
  const loaded = load(text, {
    file: "tern.yaml",
    base: "/etc/tern",
    sections: { demo },
    later: LATER,
    env: ENV,
    readFile,
  });
  if (!loaded.ok) {
    expect(`${loaded.problems.map((problem) => showProblem(problem)).join("\n")}\n`).toBe(expected);
    return;
  }
  const { root, sections } = loaded;
  const warnings = loaded.warnings.map(({ line, path, message }) => `${line}: ${path}: ${message}`);
  const value = JSON.parse(JSON.stringify({ root, ...sections, warnings }, readable));
  expect(value).toMatchObject(parse(expected) as object);
});

/** Networks as the config writes them. */
function readable(_: string, value: unknown): unknown {
  const isCidr = typeof value === "object" && value !== null && "base" in value;
  return isCidr ? showCidr(value as Cidr) : value;
}
