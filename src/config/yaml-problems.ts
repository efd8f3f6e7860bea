import { isAlias, isMap, isScalar, type YAMLError } from "yaml";

import type { Problem } from "./problem.ts";
import type { Source } from "./source.ts";
import { walk } from "./walk.ts";

/** Errors behind which the rest of the file can still be read. */
const MILD = new Set(["DUPLICATE_KEY", "TAG_RESOLVE_FAILED"]);

/** After so many, the rest follow from the first. */
const MOST = 20;

/** No config is nested like this. */
const MAX_DEPTH = 100;

const WORDS: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: "a config is one document; here a second one begins",
  TAB_AS_INDENT: "tabs are not allowed as indentation; use spaces",
  NON_STRING_KEY: "a key must be a plain word",
  BLOCK_AS_IMPLICIT_KEY: 'a second ": " on one line; quote the value, or begin a new line',
};

/** What is wrong with a text as YAML. `fatal`: its values cannot be relied on. */
export function yamlProblems(source: Source): { problems: Problem[]; fatal: boolean } {
  const { errors, warnings } = source.document;
  const found = [...errors, ...warnings];
  const problems = found
    .slice(0, MOST)
    .map((error) => source.problemAt(error.pos[0], [], say(error, source)));
  let fatal = found.some((error) => !MILD.has(error.code));
  for (const problem of unusable(source)) {
    problems.push(problem);
    fatal = true;
  }
  return { problems, fatal };
}

function say(error: YAMLError, source: Source): string {
  if (error.code === "DUPLICATE_KEY") return duplicate(source, error.pos[0]);
  if (error.code === "TAG_RESOLVE_FAILED") {
    const tag = source.text.slice(...error.pos);
    return `tags are not used here; remove ${tag}`;
  }
  const message = WORDS[error.code] ?? error.message;
  return `not valid YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}

function duplicate(source: Source, offset: number): string {
  for (const { node } of walk(source.document)) {
    if (!isMap(node)) continue;
    const keys = node.items.map(({ key }) => key).filter((key) => isScalar(key));
    const name = keys.find(({ range }) => range?.[0] === offset)?.value;
    const first = keys.find(({ value }) => value === name)?.range?.[0];
    if (name === undefined || first === undefined) continue;
    return `duplicate key ${JSON.stringify(name)}; it is already on line ${source.lineOf(first)}`;
  }
  return "duplicate key";
}

/** What parses and still cannot be read: it would be something else than what is written. */
function unusable(source: Source): Problem[] {
  const problems: Problem[] = [];
  for (const { node, depth } of walk(source.document)) {
    const offset = node.range?.[0] ?? 0;
    const complain = (at: number, message: string): void =>
      void problems.push(source.problemAt(at, [], message));
    if (depth > MAX_DEPTH) return [source.problemAt(offset, [], "nested too deeply")];
    if (isAlias(node) && node.resolve(source.document) === undefined)
      complain(offset, `nothing is named "&${node.source}" above here`);
    if (!isMap(node)) continue;
    for (const { key } of node.items)
      // Every object in JavaScript has these already: no section could tell them from its own.
      if (isScalar(key) && String(key.value) in {})
        complain(key.range?.[0] ?? 0, `${JSON.stringify(key.value)} cannot be used as a name`);
  }
  return problems;
}
