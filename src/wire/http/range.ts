/** Byte ranges (RFC 9110, 14). */
import { parseDate } from "./date.ts";

/** A run of bytes that lies wholly within the representation, and is not empty. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

const UNIT = "bytes=";

/**
 * The ranges a Range field asks for of `size` bytes, in its order; those that overlap or touch
 * are made one, and then come in ascending order, so that no byte is ever sent twice.
 * "ignore" (answer the whole, 200) for another unit, a malformed set, more than `max` ranges, and
 * anything of an empty representation; "unsatisfiable" (416) when no range reaches into it.
 */
export function parseRange(
  header: string | null,
  size: number,
  max: number,
): Range[] | "unsatisfiable" | "ignore" {
  if (header === null || size === 0 || !isBytes(header)) return "ignore";
  const ranges: Range[] = [];
  let asked = 0;
  for (let at = UNIT.length; at < header.length;) {
    let comma = header.indexOf(",", at);
    if (comma < 0) comma = header.length;
    const from = forward(header, at, comma);
    const to = backward(header, from, comma);
    at = comma + 1;
    if (from === to) continue; // empty list elements are allowed (5.6.1)
    if (++asked > max) return "ignore";

    const dash = header.indexOf("-", from);
    if (dash < 0 || dash >= to) return "ignore";
    const first = dash === from ? NONE : decimal(header, from, dash);
    const last = dash + 1 === to ? NONE : decimal(header, dash + 1, to);
    if (first === BAD || last === BAD || (first === NONE && last === NONE)) return "ignore";
    if (first === NONE) {
      const length = Math.min(last, size);
      if (length > 0) ranges.push({ offset: size - length, length });
    } else {
      if (last !== NONE && last < first) return "ignore";
      if (first >= size) continue;
      const end = last === NONE ? size : Math.min(last + 1, size);
      ranges.push({ offset: first, length: end - first });
    }
  }
  if (asked === 0) return "ignore";
  if (ranges.length === 0) return "unsatisfiable";
  return ranges.length === 1 ? ranges : merged(ranges);
}

/** `bytes 0-99/1000` */
export function contentRange(range: Range, size: number): string {
  return `bytes ${range.offset}-${range.offset + range.length - 1}/${size}`;
}

/** The Content-Range that goes with 416: an asterisk for the range, and the size. */
export function unsatisfiedRange(size: number): string {
  return `bytes */${size}`;
}

/**
 * Does If-Range let the Range field stand (13.1.5)? Tags compare strongly; a date must be exactly
 * the one in Last-Modified. `lastModified` is in milliseconds since 1970.
 */
export function ifRange(
  header: string | null,
  etag: string | undefined,
  lastModified: number | undefined,
): boolean {
  if (header === null) return true;
  if (header.startsWith('"')) return header === etag;
  if (header.startsWith("W/") || lastModified === undefined) return false;
  const date = parseDate(header);
  return date !== undefined && date === Math.floor(lastModified / 1000) * 1000;
}

const NONE = -1;
const BAD = -2;

function isBytes(header: string): boolean {
  return header.startsWith(UNIT) || header.slice(0, UNIT.length).toLowerCase() === UNIT;
}

/** 1*DIGIT; what is too large for a number is larger than any file. */
function decimal(text: string, from: number, to: number): number {
  let n = 0;
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return BAD;
    n = n * 10 + digit;
  }
  return Math.min(n, Number.MAX_SAFE_INTEGER);
}

function forward(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && (text.charCodeAt(at) === 32 || text.charCodeAt(at) === 9)) at++;
  return at;
}

function backward(text: string, from: number, to: number): number {
  let at = to;
  while (at > from && (text.charCodeAt(at - 1) === 32 || text.charCodeAt(at - 1) === 9)) at--;
  return at;
}

/** The ranges as they are when each byte is in at most one, else joined and sorted (14.2, 15.3.7.2). */
function merged(ranges: Range[]): Range[] {
  const sorted = ranges.toSorted((a, b) => a.offset - b.offset);
  const joined: Range[] = [];
  let last: Range | undefined;
  for (const next of sorted) {
    if (last !== undefined && next.offset <= last.offset + last.length) {
      const end = Math.max(last.offset + last.length, next.offset + next.length);
      last = { offset: last.offset, length: end - last.offset };
      joined[joined.length - 1] = last;
    } else joined.push((last = next));
  }
  return joined.length === ranges.length ? ranges : joined;
}
