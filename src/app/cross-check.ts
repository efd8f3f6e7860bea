import type { Problem } from "../config/problem.ts";
import { Source } from "../config/source.ts";
import type { Listen, Service } from "../services/service.ts";
import { listenersApart } from "./listeners-apart.ts";
import type { Sections } from "./plan.ts";

/**
 * What is wrong between the sections of a config, each thing where it stands in the text. `admin`:
 * where the admin API listens.
 */
export function crossProblems(
  services: readonly Pick<Service<any>, "name" | "check" | "listens">[], // each has its own Config
  sections: Sections,
  admin: readonly Listen[],
  { text, file }: { readonly text: string; readonly file: string },
): Problem[] {
  const there = services.filter(({ name }) => sections[name] !== undefined);
  const listens = there.flatMap(({ name, listens }) => listens?.(sections[name]) ?? []);
  const complaints = [
    ...there.flatMap(({ name, check }) => check?.(sections[name], sections) ?? []),
    ...listenersApart([...admin, ...listens]),
  ];
  if (complaints.length === 0) return [];
  const source = new Source(text, file);
  return complaints
    .map(({ path, message }) => source.problem(path, "value", message))
    .toSorted((a, b) => a.line - b.line || a.column - b.column);
}
