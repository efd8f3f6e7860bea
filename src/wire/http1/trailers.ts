/** Trailer fields (RFC 9110, 6.5; RFC 9112, 7.1.2). */
import type { Trailer } from "../http/message.ts";

export type { Trailer };

const MAX_FIELDS = 64;
/** field-name ":" OWS field-value OWS; the white space is cut off afterwards, in linear time. */
const LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)$/;

/**
 * Fields that frame, route, authenticate, control or describe a message must be known before its
 * content: one that comes behind it is dropped (6.5.1).
 */
const FORBIDDEN = new Set(
  [
    "transfer-encoding content-length trailer te connection keep-alive upgrade host expect max-forwards range",
    "content-encoding content-type content-range content-location content-disposition content-language",
    "authorization proxy-authorization proxy-connection cookie set-cookie www-authenticate proxy-authenticate",
    "if-match if-none-match if-modified-since if-unmodified-since if-range cache-control pragma age date expires",
    "location retry-after vary warning forwarded x-forwarded-for x-forwarded-host x-forwarded-proto x-real-ip",
  ].flatMap((names) => names.split(" ")),
);

/** Read lines up to and with the empty one. Undefined when any is malformed: answer 400. */
export function parseTrailers(lines: Uint8Array): Trailer[] | undefined {
  const text = String.fromCharCode(...lines);
  const all = text.slice(0, -2).split("\r\n").slice(0, -1);
  if (all.length > MAX_FIELDS) return undefined;
  const kept: Trailer[] = [];
  for (const line of all) {
    const [, name, value] = LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    const lower = name.toLowerCase();
    if (!FORBIDDEN.has(lower)) kept.push([lower, trimmed(value)]);
  }
  return kept;
}

/** Without SP and HTAB at either end: `trim` would cut more. */
function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && (text[from] === " " || text[from] === "\t")) from++;
  while (to > from && (text[to - 1] === " " || text[to - 1] === "\t")) to--;
  return text.slice(from, to);
}
