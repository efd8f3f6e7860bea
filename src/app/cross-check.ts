import type { Problem } from "../config/problem.ts";
import { Source } from "../config/source.ts";
import type { Complaint, Listen, Service } from "../services/service.ts";
import { listenersApart } from "./listeners-apart.ts";
import type { Sections } from "./plan.ts";

/**
 * What is wrong between the sections of a config, each thing where it stands in the text. `admin`:
 * where the admin API listens; `others`: what is known to be wrong besides.
 */
export function crossProblems(
  services: readonly Pick<Service<any>, "name" | "check" | "listens">[], // each has its own Config
  sections: Sections,
  admin: readonly Listen[],
  { text, file }: { readonly text: string; readonly file: string },
  others: readonly Complaint[] = [],
): Problem[] {
  const there = services.filter(({ name }) => sections[name] !== undefined);
  const listens = there.flatMap(({ name, listens }) => listens?.(sections[name]) ?? []);
  const complaints = [
    ...others,
    ...there.flatMap(({ name, check }) => check?.(sections[name], sections) ?? []),
    ...listenersApart([...admin, ...listens]),
  ];
  return placed(complaints, text, file);
}

/** What services have to say about a config that can be used, each thing where it stands. */
export function crossWarnings(
  services: readonly Pick<Service<any>, "name" | "advises">[], // each has its own Config
  sections: Sections,
  { text, file }: { readonly text: string; readonly file: string },
): Problem[] {
  const there = services.filter(({ name }) => sections[name] !== undefined);
  const advice = there.flatMap((service) => service.advises?.(sections[service.name]) ?? []);
  return placed(advice, text, file);
}

function placed(complaints: readonly Complaint[], text: string, file: string): Problem[] {
  if (complaints.length === 0) return [];
  const source = new Source(text, file);
  return complaints
    .map(({ path, message }) => source.problem(path, "value", message))
    .toSorted((a, b) => a.line - b.line || a.column - b.column);
}
