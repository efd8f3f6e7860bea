import { resolve } from "node:path";

import { load, type Loaded } from "../config/load.ts";
import { readText } from "../config/read-text.ts";
import type { RootConfig } from "../config/root.ts";
import { canVerify } from "../net/password.ts";
import type { Sections } from "./plan.ts";
import { LATER, SECTIONS } from "./services.ts";

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
  const text = place.kind === "text" ? place.text : readText(place.path);
  const file = place.kind === "text" ? place.name : place.path;
  const base = place.kind === "text" ? place.base : undefined;
  const files: Record<string, string> = {};
  const loaded = load(text, {
    file,
    sections: SECTIONS,
    later: LATER,
    ...(base !== undefined && { base }),
    readFile: (path) => (files[path] = readText(path)),
    verifies: canVerify,
  });
  if (!loaded.ok) return loaded;
  const warnings = loaded.warnings.map((w) => `${w.file}:${w.line}:${w.column}: ${w.message}`);
  const { root, sections } = loaded;
  return { ok: true, config: { source: { file, base, text, files }, root, sections, warnings } };
}

/** What the supervisor has read, read again by a worker. */
export function reread({ file, base, text, files }: ConfigText): {
  root: RootConfig;
  sections: Sections;
} {
  const loaded = load(text, {
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
  if (!loaded.ok)
    throw new Error(`the worker cannot read the config: ${loaded.problems[0]?.message}`);
  return loaded;
}

/** How the config is called in `status`. */
export function showPlace(place: ConfigPlace): string {
  return place.kind === "file" ? resolve(place.path) : place.name;
}
