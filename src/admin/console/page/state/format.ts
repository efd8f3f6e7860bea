import { humanBytes } from "../../../../core/human-bytes.ts";

/** What stands for a figure nobody knows. */
export const UNKNOWN = "–";

const whole = new Intl.NumberFormat("en");

/** `12,345` */
export function count(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? UNKNOWN : whole.format(Math.round(value));
}

/** `0.4`, `12`, `1,250`: with what digits matter. */
export function amount(value: number): string {
  if (Number.isNaN(value)) return UNKNOWN;
  if (value !== 0 && Math.abs(value) < 10) return String(Math.round(value * 10) / 10);
  return whole.format(Math.round(value));
}

export function perSecond(value: number): string {
  return `${amount(value)}/s`;
}

export function bytes(value: number): string {
  return Number.isNaN(value) ? UNKNOWN : humanBytes(Math.round(value));
}

export function bytesPerSecond(value: number): string {
  return `${bytes(value)}/s`;
}

export function milliseconds(value: number): string {
  if (Number.isNaN(value)) return UNKNOWN;
  if (value >= 1000) return `${amount(value / 1000)} s`;
  return `${value < 1 ? Math.round(value * 100) / 100 : amount(value)} ms`;
}

const STEPS = [
  { ms: 86_400_000, unit: "d" },
  { ms: 3_600_000, unit: "h" },
  { ms: 60_000, unit: "min" },
  { ms: 1000, unit: "s" },
] as const;

/** `3 d 4 h`, `5 min`: two units where the first is small. */
export function span(ms: number): string {
  if (Number.isNaN(ms)) return UNKNOWN;
  const i = STEPS.findIndex((step) => ms >= step.ms);
  const step = STEPS[i];
  if (!step) return `${Math.round(ms)} ms`;
  const first = Math.floor(ms / step.ms);
  const next = STEPS[i + 1];
  const rest = next && first < 10 ? Math.floor((ms % step.ms) / next.ms) : 0;
  return rest > 0 && next ? `${first} ${step.unit} ${rest} ${next.unit}` : `${first} ${step.unit}`;
}

/** `5 min ago` */
export function ago(at: number, now = Date.now()): string {
  return now - at < 1000 ? "just now" : `${span(now - at)} ago`;
}

/** `14:03:22` today, `3 Mar 14:03` before, in the reader's own time. */
export function clock(time: string, now = new Date()): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return time;
  const today = at.toDateString() === now.toDateString();
  return at.toLocaleString(
    "en-GB",
    today
      ? { hour: "2-digit", minute: "2-digit", second: "2-digit" }
      : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  );
}

/** Is the number under this key a time, ms since 1970? */
export function isTime(key: string): boolean {
  return /At$|_at$/.test(key);
}

/** A number as a person reads it, by the unit its key ends in (`rssBytes`, `connect_ms`). */
export function human(key: string, value: number): string {
  if (/bytes$/i.test(key)) return bytes(value);
  if (/(_ms|Ms)$/.test(key)) return span(value);
  if (/seconds$/i.test(key)) return span(value * 1000);
  if (isTime(key)) return clock(new Date(value).toISOString());
  if (/^(pid|port|index|generation|serial)$/.test(key)) return String(value);
  return Number.isInteger(value) ? count(value) : amount(value);
}

/** A key without the unit that `human` has written out: `up_bytes` is `up`. */
export function title(key: string): string {
  const bare = key.replace(/_?(bytes|Bytes|_ms|Ms)$/, "") || key;
  return bare
    .replaceAll(/[_-]/g, " ")
    .replace(/(?<=[a-z])[A-Z]/g, (c) => ` ${c.toLowerCase()}`)
    .replaceAll(/\b(url|id|ip|tls)\b/g, (word) => word.toUpperCase());
}

/** In one line, however narrow the place is. */
export function unbroken(text: string): string {
  return text.replaceAll(" ", "\u00a0");
}

/** With a capital at its beginning. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
