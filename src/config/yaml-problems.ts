import { isScalar, visit, type YAMLError } from "yaml";

import type { Problem } from "./problem.ts";
import type { Source } from "./source.ts";

/** Errors behind which the rest of the file can still be read. */
const MILD = new Set(["DUPLICATE_KEY", "TAG_RESOLVE_FAILED"]);

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
  const problems = found.map((error) => source.problemAt(error.pos[0], [], say(error, source)));
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
  let message = "duplicate key";
  visit(source.document, {
    Map(_, map) {
      const again = map.items.find(({ key }) => isScalar(key) && key.range?.[0] === offset);
      if (!isScalar(again?.key)) return undefined;
      const name = again.key.value;
      const first = map.items.find(({ key }) => isScalar(key) && key.value === name)?.key;
      const line = isScalar(first) && first.range ? source.lineOf(first.range[0]) : 0;
      message = `duplicate key ${JSON.stringify(name)}; it is already on line ${line}`;
      return visit.BREAK;
    },
  });
  return message;
}

/** Names that every object in JavaScript has already: no section could tell them from its own. */
function unusable(source: Source): Problem[] {
  const problems: Problem[] = [];
  visit(source.document, {
    Alias(_, alias) {
      if (alias.resolve(source.document) !== undefined) return;
      const message = `nothing is named "&${alias.source}" above here`;
      problems.push(source.problemAt(alias.range?.[0] ?? 0, [], message));
    },
    Map(_, map) {
      for (const { key } of map.items)
        if (isScalar(key) && String(key.value) in {}) {
          const message = `${JSON.stringify(key.value)} cannot be used as a name`;
          problems.push(source.problemAt(key.range?.[0] ?? 0, [], message));
        }
    },
  });
  return problems;
}
