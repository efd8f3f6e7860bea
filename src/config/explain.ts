import type * as v from "valibot";

import { closest } from "../core/suggest.ts";
import type { KeyPath } from "./key-path.ts";
import { keysAt } from "./schema-walk.ts";
import { isSecretName } from "./secrets-in.ts";
import type { Spot } from "./source.ts";

/** One thing wrong, in words: the place that `path` names, what was expected, what was got. */
export interface Finding {
  /** The value or key that the caret goes under. */
  readonly path: KeyPath;
  readonly spot: Spot;
  /** What the message is about: the map, for a key that it should or should not have. */
  readonly about: KeyPath;
  readonly message: string;
}

type Issue = v.BaseIssue<unknown>;

/** Most characters of a wrong value that a message repeats. */
const GOT_LENGTH = 60;

/** What an issue of valibot means for whoever wrote the file. */
export function explain(issue: Issue, schema: v.GenericSchema, above: KeyPath = []): Finding[] {
  const own = (issue.path ?? []).map((item) => item.key as string | number);
  const path = [...above, ...own];
  const parent = path.slice(0, -1);
  const last = issue.path?.at(-1);

  if (last?.origin === "key" && issue.expected === "never")
    return unknownKeys(last.input, path, schema, own.slice(0, -1));
  if (last?.origin === "key" && issue.input === undefined) {
    const message = `missing key ${JSON.stringify(String(path.at(-1)))}`;
    return [{ path: parent, spot: "key", about: parent, message }];
  }
  if (issue.message !== "") return [{ path, spot: "value", about: path, message: issue.message }];

  // A branch that takes its form but not what it says.
  const checked = (issue.issues ?? []).find(
    (branch) => branch.kind === "validation" && !branch.path && branch.message !== "",
  );
  if (checked) return [{ path, spot: "value", about: path, message: checked.message }];

  const kind = Array.isArray(issue.input) ? "array" : "object";
  const inner = (issue.issues ?? []).filter((inner) => inner.path?.[0].type === kind);
  if (inner.length > 0) {
    // A map or list that no branch takes: what the branches say of its parts helps more.
    const deepest = Math.max(...inner.map((inner) => inner.path?.length ?? 0));
    return inner
      .filter((inner) => (inner.path?.length ?? 0) === deepest)
      .flatMap((inner) => explain({ ...inner, path: joined(issue, inner) }, schema, above));
  }
  const spot = last?.origin === "key" ? "key" : "value";
  const refused = (issue.issues ?? []).find((branch) => !branch.path && branch.message !== "");
  const message = refused?.message ?? expectedGot(issue, path);
  return [{ path, spot, about: path, message }];
}

/** valibot names only the first unknown key of a map; the operator wants them all. */
function unknownKeys(
  map: unknown,
  path: KeyPath,
  schema: v.GenericSchema,
  own: KeyPath,
): Finding[] {
  const about = path.slice(0, -1);
  const known = new Set(keysAt(schema, own));
  const first = String(path.at(-1));
  const unknown = Object.keys(map as object).filter((key) => key === first || !known.has(key));
  const present = new Set(Object.keys(map as object));
  const free = [...known].filter((key) => !present.has(key));
  return unknown.map((key) => {
    const meant = closest(key, free);
    const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
    const message = `unknown key ${JSON.stringify(key)}${hint}`;
    return { path: [...about, key], spot: "key", about, message };
  });
}

function expectedGot(issue: Issue, path: KeyPath): string {
  const expected = expectation(issue);
  const name = path.findLast((key) => typeof key === "string");
  const hidden = typeof issue.input === "string" && isSecretName(String(name ?? ""));
  const message = `expected ${expected}, got ${hidden ? "another text" : show(issue.input)}`;
  const meant =
    typeof issue.input === "string" ? closest(issue.input, choices(expected)) : undefined;
  return meant === undefined ? message : `${message}; did you mean "${meant}"?`;
}

/** `a list or an address such as ...`: what would have done. */
function expectation(issue: Issue): string {
  const branches = issue.type === "union" ? (issue.issues ?? []) : [];
  const direct = branches.filter((branch) => branch.path === undefined);
  if (direct.length > 0) return [...new Set(direct.map(expectation))].join(" or ");
  const { requirement } = issue;
  switch (issue.type) {
    case "integer":
    case "safe_integer":
      return "a whole number";
    case "min_value":
      return `${requirement} or more`;
    case "max_value":
      return `${requirement} or less`;
    case "non_empty":
      return typeof issue.input === "string" ? "some text" : "at least one";
    case "min_length":
      return `at least ${requirement} of them`;
    case "max_length":
      return `at most ${requirement} of them`;
    case "regex":
      return `a text of the form ${requirement}`;
    default:
      return (issue.expected ?? "something else").split(" | ").map(word).join(" or ");
  }
}

const WORDS: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
  Object: "a map",
  Array: "a list",
};

function word(expected: string): string {
  const bare = expected.replace(/^\(+|\)+$/g, "");
  return WORDS[bare] ?? bare;
}

/** The quoted words of an expectation that is nothing but a choice: `"a" or "b"`. */
function choices(expected: string): string[] {
  const words = expected.split(" or ");
  return words.every((text) => /^"[^"]*"$/.test(text))
    ? words.map((text) => text.slice(1, -1))
    : [];
}

function show(input: unknown): string {
  if (input === null || input === undefined) return "nothing";
  if (Array.isArray(input)) return "a list";
  if (typeof input === "object") return "a map";
  // YAML has no other values than these.
  const text =
    typeof input === "string" ? JSON.stringify(input) : String(input as number | boolean);
  return text.length > GOT_LENGTH ? `${text.slice(0, GOT_LENGTH - 1)}…` : text;
}

function joined(outer: Issue, inner: Issue): NonNullable<Issue["path"]> {
  return [...(outer.path ?? []), ...(inner.path ?? [])] as NonNullable<Issue["path"]>;
}
