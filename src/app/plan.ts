import type { Renewal } from "./crew.ts";
import { same } from "./same.ts";

export type Sections = Readonly<Record<string, unknown>>;

/** What a config change means for one service. */
export interface Step {
  readonly service: string;
  readonly act: "start" | "replace" | "stop";
}

/**
 * The steps from one config to the next. A section that did not change is left alone, unless its
 * service `rereads` and this is a reload: what it refers to may have changed.
 */
export function plan(
  services: readonly { readonly name: string; readonly rereads?: boolean }[],
  old: Sections,
  next: Sections,
  how: Renewal = "reread",
): Step[] {
  const steps: Step[] = [];
  for (const { name: service, rereads = false } of services) {
    const had = old[service] !== undefined;
    const has = next[service] !== undefined;
    if (has && !had) steps.push({ service, act: "start" });
    else if (had && !has) steps.push({ service, act: "stop" });
    else if (has && ((rereads && how === "reread") || !same(old[service], next[service])))
      steps.push({ service, act: "replace" });
  }
  return steps;
}
