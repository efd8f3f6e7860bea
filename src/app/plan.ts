import { same } from "./same.ts";

export type Sections = Readonly<Record<string, unknown>>;

/** What a config change means for one service. */
export interface Step {
  readonly service: string;
  readonly act: "start" | "replace" | "stop";
}

/** The steps from one config to the next. A section that did not change is left alone. */
export function plan(names: readonly string[], old: Sections, next: Sections): Step[] {
  const steps: Step[] = [];
  for (const service of names) {
    const had = old[service] !== undefined;
    const has = next[service] !== undefined;
    if (has && !had) steps.push({ service, act: "start" });
    else if (had && !has) steps.push({ service, act: "stop" });
    else if (!same(old[service], next[service])) steps.push({ service, act: "replace" });
  }
  return steps;
}
