/** File paths as keys of the store: ancestors and descendants by text alone. */
import { dirname } from "node:path";

/** `/a/b/c` → `/a/b`, `/a`, `/`: nearest first. */
export function ancestors(path: string): string[] {
  const above: string[] = [];
  for (let at = path; at !== dirname(at);) {
    at = dirname(at);
    above.push(at);
  }
  return above;
}

/** Every path beneath `path` sorts, byte by byte, after the first and before the second. */
export function beneath(path: string): readonly [from: string, to: string] {
  const base = path === "/" ? "" : path;
  return [`${base}/`, `${base}0`]; // "0" is the byte behind "/"
}

/** Is `path` the same as `top`, or beneath it? */
export function within(path: string, top: string): boolean {
  return path === top || path.startsWith(beneath(top)[0]);
}
