import type { Sections } from "./plan.ts";

/** Is there a check of kind icmp anywhere in these sections? */
export function wantsPing(sections: Sections): boolean {
  return Object.entries(sections).some(([, section]) => holdsPing(section));
}

function holdsPing(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(
    ([key, inner]) => (key === "check" && isPing(inner)) || holdsPing(inner),
  );
}

function isPing(check: unknown): boolean {
  return typeof check === "object" && check !== null && "kind" in check && check.kind === "icmp";
}
