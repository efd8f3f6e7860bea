import type { FieldChanges } from "./route-config.ts";

/** The changes of all routes, and of one beside them. Names are the same in any case of letters. */
export function merged(all: FieldChanges, own: FieldChanges): FieldChanges {
  const said = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  const rest = Object.entries(all).filter(([name]) => !said.has(name.toLowerCase()));
  return { ...Object.fromEntries(rest), ...own };
}
