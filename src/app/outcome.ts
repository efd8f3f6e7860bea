import type { Problem } from "../config/problem.ts";
import type { Unsaved } from "./running-text.ts";

/** What a move to another config came to. Problems are in the config, or what stood in the way of it. */
export type Moved =
  | { readonly ok: true; readonly changed: readonly string[]; readonly notes: readonly string[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** What a reload came to. */
export type Reloaded =
  | (Moved & {
      readonly ok: true;
      /** Changes that were in force and are not in the file. */
      readonly dropped: readonly Unsaved[];
    })
  | (Moved & { readonly ok: false });

/** What a change of the running text came to. */
export type Amended =
  | (Moved & { readonly ok: true; readonly kind: "done" })
  | (Moved & { readonly ok: false; readonly kind: "bad config" })
  /** It makes no sense here, for this reason. */
  | { readonly ok: false; readonly kind: "cannot"; readonly why: string }
  /** It was made for another generation of the config. */
  | { readonly ok: false; readonly kind: "stale" }
  /** Nobody would be left who may change anything by the network. */
  | { readonly ok: false; readonly kind: "last user" };

/** Why a change was refused, in one line: for the log. */
export function whyNot(result: Amended & { ok: false }): string {
  switch (result.kind) {
    case "bad config":
      return result.problems.map(discreet).join("; ");
    case "cannot":
      return result.why;
    case "stale":
      return "the config has changed meanwhile";
    case "last user":
      return "nobody would be left with full access";
  }
}

/** For what many read: without the value that is wrong, which may be a secret that slipped. */
export function discreet(problem: Problem): string {
  return oneLine(problem).replace(/, got .*$/s, "");
}

/** `tern.yaml:3:7: workers: expected …`. */
export function oneLine({ file, line, column, path, message }: Omit<Problem, "excerpt">): string {
  return `${file}:${line}:${column}: ${path === "" ? "" : `${path}: `}${message}`;
}
