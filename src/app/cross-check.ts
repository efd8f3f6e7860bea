import type { Problem } from "../config/problem.ts";
import { Source } from "../config/source.ts";
import type { Listen } from "../net/listen.ts";
import type { Complaint, Service } from "../services/service.ts";
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
  const complaints = [
    ...others,
    ...there.flatMap(({ name, check }) => check?.(sections[name], sections) ?? []),
    ...listenersApart([...admin, ...listensOf(services, sections)]),
  ];
  return placed(complaints, text, file);
}

/**
 * What services have to say about a config that can be used, each thing where it stands. `others`: what is known
 * besides.
 */
export function crossWarnings(
  services: readonly Pick<Service<any>, "name" | "advises">[], // each has its own Config
  sections: Sections,
  { text, file }: { readonly text: string; readonly file: string },
  others: readonly Complaint[] = [],
): Problem[] {
  const there = services.filter(({ name }) => sections[name] !== undefined);
  const advice = there.flatMap((service) => service.advises?.(sections[service.name]) ?? []);
  return placed([...others, ...advice], text, file);
}

/** Where services would listen. */
export function listensOf(
  services: readonly Pick<Service<any>, "name" | "listens">[], // each has its own Config
  sections: Sections,
): Listen[] {
  const there = services.filter(({ name }) => sections[name] !== undefined);
  return there.flatMap(({ name, listens }) => listens?.(sections[name]) ?? []);
}

function placed(complaints: readonly Complaint[], text: string, file: string): Problem[] {
  if (complaints.length === 0) return [];
  const source = new Source(text, file);
  return complaints
    .map(({ path, message }) => source.problem(path, "value", message))
    .toSorted((a, b) => a.line - b.line || a.column - b.column);
}
