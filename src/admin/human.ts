import { humanBytes } from "../core/human-bytes.ts";

/** Numbers that name something rather than count it. */
const NAMES = new Set(["pid", "port", "index", "generation"]);
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A number as a person reads it, by the unit its key ends in (`rssBytes`, `uptimeMs`, `startedAt`). */
export function human(key: string, value: number): string {
  if (/bytes$/i.test(key)) return humanBytes(value);
  if (/(ms|Ms)$/.test(key)) return span(value);
  if (/At$|_at$/.test(key))
    return `${new Date(value).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  return NAMES.has(key) ? String(value) : value.toLocaleString("en");
}

/** The key without the unit that `human` has written out. */
export function title(key: string): string {
  const bare = key.replace(/_?(bytes|Bytes|ms|Ms)$/, "");
  const words = (bare || key).replaceAll("_", " ");
  return words.replace(/(?<=[a-z])[A-Z]/g, (c) => ` ${c.toLowerCase()}`);
}

function span(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ${Math.floor((ms % MINUTE) / SECOND)} s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ${Math.floor((ms % HOUR) / MINUTE)} min`;
  return `${Math.floor(ms / DAY)} d ${Math.floor((ms % DAY) / HOUR)} h`;
}
