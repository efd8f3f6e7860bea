import * as v from "valibot";

import { closest } from "../core/suggest.ts";
import { explain } from "./explain.ts";
import type { KeyPath } from "./key-path.ts";
import type { Problem } from "./problem.ts";
import { readText } from "./read-text.ts";
import { root, type RootConfig, rootConfig } from "./root.ts";
import { listsForMaps } from "./schema-walk.ts";
import { Source } from "./source.ts";
import { baseOf, type Reference, resolvePath, type Surroundings, within } from "./surroundings.ts";
import { warningsIn } from "./warnings.ts";
import { yamlProblems } from "./yaml-problems.ts";

export interface LoadOptions {
  /** The name that problems are reported under; relative paths are from its directory. */
  readonly file: string;
  /** What sections there are, by name. */
  readonly sections: Readonly<Record<string, v.GenericSchema>>;
  /** Sections that a later version will have. */
  readonly later: readonly string[];
  /** Directory for relative paths, when it is not the file's. */
  readonly base?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The text of a file; throws when there is none. */
  readonly readFile?: (path: string) => string;
  /** Can this machine check passwords against this hash? Assumed when not given. */
  readonly verifies?: (hash: string) => boolean;
}

export type Loaded =
  | {
      readonly ok: true;
      readonly root: RootConfig;
      /** The sections that the file has, every default filled in. */
      readonly sections: Readonly<Record<string, unknown>>;
      readonly text: string;
      /** What it says, as plain JSON: `loadValue` makes the same of it. */
      readonly value: unknown;
      /** Things that are allowed but surely not meant. */
      readonly warnings: readonly Problem[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Read a config: every problem in it at once, or values without strings to parse. Never throws. */
export function load(text: string, options: LoadOptions): Loaded {
  const { file } = options;
  const source = attempt(file, () => new Source(text, file));
  if (!source.ok) return source;
  const yaml = yamlProblems(source.value);
  if (yaml.fatal) return { ok: false, problems: yaml.problems.toSorted(byPlace) };
  const whole = attempt(file, () => source.value.value());
  if (!whole.ok) return whole;

  const reader = new Reader(source.value, whole.value ?? {}, options);
  const problems = distinct([...yaml.problems, ...reader.problems].toSorted(byPlace));
  if (problems.length > 0 || reader.root === undefined) return { ok: false, problems };
  const { root, sections } = reader;
  const value = whole.value ?? {};
  return { ok: true, root, sections, text, value, warnings: warningsIn(source.value, root) };
}

/**
 * What `load` has read, read again from its value, without the cost of its text. Throws Error when
 * it is not good (any more).
 */
export function loadValue(
  value: unknown,
  options: LoadOptions,
): Pick<Loaded & { ok: true }, "root" | "sections"> {
  const { root, sections, problems } = new Reader(new Source("", options.file), value, options);
  const [problem] = problems;
  if (problem) throw new Error(`${problem.path}: ${problem.message}`);
  if (root === undefined) throw new Error("the config says nothing");
  return { root, sections };
}

type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** The yaml package throws at brackets without end and aliases that multiply: nobody wrote those. */
function attempt<T>(file: string, read: () => T): Attempt<T> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    const message = `cannot be read as YAML: ${error instanceof Error ? error.message : error}`;
    return { ok: false, problems: [{ file, line: 1, column: 1, path: "", message, excerpt: "" }] };
  }
}

/** One walk over the sections of one file. */
class Reader {
  readonly problems: Problem[] = [];
  readonly sections: Record<string, unknown> = {};
  readonly root: RootConfig | undefined;
  readonly #source: Source;

  constructor(source: Source, whole: unknown, options: LoadOptions) {
    this.#source = source;
    if (typeof whole !== "object" || Array.isArray(whole)) {
      this.problems.push(source.problem([], "value", "expected a map of sections"));
      return;
    }
    const input = whole as Readonly<Record<string, unknown>>;
    const names = Object.keys(input);
    this.#refuseUnknown(names, options);

    const around = surroundingsOf(options);
    const own = Object.fromEntries(names.filter(isRootKey).map((name) => [name, input[name]]));
    const read = within(around, () => this.#validate(root, own, []));
    this.root = read && within(around, () => rootConfig(read));

    const inside = { ...around, socket: this.root?.socket };
    for (const [name, schema] of Object.entries(options.sections))
      if (Object.hasOwn(input, name))
        this.sections[name] = within(inside, () => this.#validate(schema, input[name], [name]));
  }

  #validate<S extends v.GenericSchema>(
    schema: S,
    input: unknown,
    path: KeyPath,
  ): v.InferOutput<S> | undefined {
    const lists = listsForMaps(schema, input, path);
    for (const at of lists)
      this.problems.push(this.#source.problem(at, "value", "expected a map, got a list"));
    // An empty message marks what valibot would say by itself: explain has better words.
    const result = v.safeParse(schema, input, { message: "" });
    const findings = (result.issues ?? []).flatMap((issue) => explain(issue, schema, path));
    for (const { path: at, spot, about, message } of findings)
      if (!lists.some((list) => isWithin(list, about)))
        this.problems.push(this.#source.problem(at, spot, message, about));
    return result.success && lists.length === 0 ? result.output : undefined;
  }

  #refuseUnknown(names: readonly string[], { sections, later }: LoadOptions): void {
    const planned = new Set(later);
    const known = [...Object.keys(root.entries), ...Object.keys(sections)];
    for (const name of names) {
      if (isRootKey(name) || Object.hasOwn(sections, name)) continue;
      const quoted = JSON.stringify(name);
      if (planned.has(name)) {
        this.#refuse(name, `section ${quoted}: not available in this version`);
        continue;
      }
      const meant = closest(name, [...known.filter((key) => !names.includes(key)), ...planned]);
      const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
      this.#refuse(name, `unknown section ${quoted}${hint}`);
    }
  }

  #refuse(name: string, message: string): void {
    this.problems.push(this.#source.problem([name], "key", message, []));
  }
}

function isWithin(outer: KeyPath, inner: KeyPath): boolean {
  return outer.every((key, i) => key === inner[i]);
}

function isRootKey(name: string): boolean {
  return Object.hasOwn(root.entries, name);
}

function surroundingsOf(options: LoadOptions): Surroundings {
  const { env = process.env, readFile = readText, verifies = () => true } = options;
  return {
    base: options.base ?? baseOf(options.file),
    socket: undefined,
    verifies,
    reveal: (reference) => reveal(reference, env, readFile),
  };
}

function reveal(
  reference: Reference,
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): string {
  if (reference.kind === "file") return readFile(resolvePath(reference.path));
  const value = env[reference.name];
  if (value === undefined) throw new Error("no such variable in the environment");
  return value;
}

/** A value that is there by an alias too is wrong in one place. */
function distinct(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ line, column, message }) => {
    const key = `${line}:${column}:${message}`;
    return !seen.has(key) && seen.add(key);
  });
}

function byPlace(a: Problem, b: Problem): number {
  return a.line - b.line || a.column - b.column;
}
