import type { Plain } from "../state/answers.ts";

/** The entries of a map whose values are all flat objects with keys in common; else undefined. */
export function alike(map: Plain): (readonly [string, Plain])[] | undefined {
  const entries = Object.entries(map);
  const flat = entries.every(([, v]) => isObject(v) && !Object.values(v).some(isObject));
  if (entries.length === 0 || !flat) return undefined;
  const [first, ...others] = entries.map(([, v]) => Object.keys(v as Plain));
  const common = others.every((keys) => keys.some((k) => first?.includes(k)));
  return common ? (entries as [string, Plain][]) : undefined;
}

export function isObject(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
