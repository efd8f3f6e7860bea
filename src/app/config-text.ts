import { resolve } from "node:path";

import { load, type Loaded, loadValue } from "../config/load.ts";
import { readText } from "../config/read-text.ts";
import type { RootConfig } from "../config/root.ts";
import { canVerify } from "../net/password.ts";
import { crossProblems, crossWarnings, listensOf } from "./cross-check.ts";
import type { Sections } from "./plan.ts";
import { LATER, SECTIONS, SERVICES } from "./services.ts";
import { uncertified } from "./uncertified.ts";
import { wildcardNames } from "./wildcard-names.ts";

/** Where the config comes from; read again by every reload. */
export type ConfigPlace =
  | { readonly kind: "file"; readonly path: string }
  /** Made by the command line, or the one inside the executable. */
  | { readonly kind: "text"; readonly name: string; readonly text: string; readonly base: string };

/**
 * A config as it was read, with every file it refers to: plain JSON, so that workers read exactly
 * what the supervisor has read, whatever happens to the files and to their own rights meanwhile.
 */
export interface ConfigText {
  readonly file: string;
  readonly base: string | undefined;
  readonly text: string;
  /** What the text says, as plain JSON: workers need not parse it again beside their traffic. */
  readonly value: unknown;
  readonly files: Readonly<Record<string, string>>;
}

/** A config that can be used. */
export interface Config {
  readonly source: ConfigText;
  readonly root: RootConfig;
  readonly sections: Sections;
  readonly warnings: readonly string[];
}

/** A config, or everything that is wrong with it. */
export type Read =
  { readonly ok: true; readonly config: Config } | (Loaded & { readonly ok: false });

/** Read a config now. Never throws for what is in it; throws Error when its file cannot be read. */
export function readConfig(place: ConfigPlace): Read {
  return readConfigText(place, textAt(place));
}

/** What stands at a place now. Throws Error when it cannot be read. */
export function textAt(place: ConfigPlace): string {
  return place.kind === "text" ? place.text : readText(place.path);
}

/**
 * The config that a text would be at a place. Files that it refers to are taken from `known` when
 * they are there: a change of one thing must not fail, or change another, for what became of them.
 */
export function readConfigText(
  place: ConfigPlace,
  text: string,
  known: ConfigText["files"] = {},
): Read {
  const file = place.kind === "text" ? place.name : place.path;
  const base = place.kind === "text" ? place.base : undefined;
  const files: Record<string, string> = {};
  const loaded = load(text, {
    file,
    sections: SECTIONS,
    later: LATER,
    ...(base !== undefined && { base }),
    readFile: (path) => (files[path] = known[path] ?? readText(path)),
    verifies: canVerify,
  });
  if (!loaded.ok) return loaded;
  const { root, sections, value } = loaded;
  const admin = root.admin.listen.map((address, i) => {
    return { path: ["admin", "listen", i], address, protocol: "tcp" as const };
  });
  const wildcards = wildcardNames(root.tls, sections);
  const problems = crossProblems(SERVICES, sections, admin, { text, file }, wildcards);
  if (problems.length > 0) return { ok: false, problems };
  const bare = uncertified(root.tls, listensOf(SERVICES, sections));
  const advice = crossWarnings(SERVICES, sections, { text, file }, bare);
  const warnings = [...loaded.warnings, ...advice].map(
    (w) => `${w.file}:${w.line}:${w.column}: ${w.message}`,
  );
  return {
    ok: true,
    config: { source: { file, base, text, value, files }, root, sections, warnings },
  };
}

/** What the supervisor has read, read again by a worker. */
export function reread({ file, base, value, files }: ConfigText): {
  root: RootConfig;
  sections: Sections;
} {
  return loadValue(value, {
    file,
    sections: SECTIONS,
    later: LATER,
    ...(base !== undefined && { base }),
    readFile: (path) => {
      const known = files[path];
      if (known === undefined) throw new Error(`${path}: not read by the supervisor`);
      return known;
    },
  });
}

/** How the config is called in `status`. */
export function showPlace(place: ConfigPlace): string {
  return place.kind === "file" ? resolve(place.path) : place.name;
}
