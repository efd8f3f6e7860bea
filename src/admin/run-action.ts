import * as v from "valibot";

import type { Action } from "../services/service.ts";

/** What became of an action: its answer, or what was wrong with the input. A throw is a failure. */
export type Ran =
  | { readonly kind: "done"; readonly value: unknown }
  | { readonly kind: "refused"; readonly problems: readonly string[] };

/** Check the input against the action's schema, then run it. Called where the instance lives. */
export async function runAction<Input>(action: Action<Input>, input: unknown): Promise<Ran> {
  const checked = check(action.input, input);
  if (checked.kind === "refused") return checked;
  return { kind: "done", value: await action.run(checked.value) };
}

export type Checked<T> =
  | { readonly kind: "fits"; readonly value: T }
  | { readonly kind: "refused"; readonly problems: readonly string[] };

/** The input as the schema makes it, or a sentence for each thing wrong, without what was sent. */
export function check<T>(schema: v.GenericSchema<unknown, T>, input: unknown): Checked<T> {
  const result = v.safeParse(schema, input);
  if (result.success) return { kind: "fits", value: result.output };
  return { kind: "refused", problems: result.issues.map(sentence) };
}

/** `ttl: expected a duration`. The value itself may be a password, and is not repeated. */
function sentence(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  const what = issue.expected === null ? "not accepted" : `expected ${issue.expected}`;
  return path === null ? what : `${path}: ${what}`;
}
