import type { Problem } from "../config/problem.ts";
import { Source } from "../config/source.ts";
import type { Service } from "../services/service.ts";
import type { Sections } from "./plan.ts";

/** What is wrong between the sections of a config, each thing where it stands in the text. */
export function crossProblems(
  services: readonly Pick<Service<any>, "name" | "check">[], // each has its own Config
  sections: Sections,
  { text, file }: { readonly text: string; readonly file: string },
): Problem[] {
  const complaints = services.flatMap(({ name, check }) =>
    sections[name] === undefined ? [] : (check?.(sections[name], sections) ?? []),
  );
  if (complaints.length === 0) return [];
  const source = new Source(text, file);
  return complaints
    .map(({ path, message }) => source.problem(path, "value", message))
    .toSorted((a, b) => a.line - b.line || a.column - b.column);
}
