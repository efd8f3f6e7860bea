import { showDuration } from "../core/units.ts";

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
] as const;

/** The two largest units: `2d3h`, `5m12s`; below a second in milliseconds. */
export function age(ms: number): string {
  if (ms < 1000) return showDuration(Math.max(0, Math.round(ms)));
  const parts: string[] = [];
  let left = ms;
  for (const [unit, size] of UNITS) {
    const n = Math.floor(left / size);
    left -= n * size;
    if (n > 0 || parts.length > 0) parts.push(`${n}${unit}`);
  }
  return parts.slice(0, 2).join("");
}
