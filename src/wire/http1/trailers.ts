/** Trailer fields (RFC 9110, 6.5; RFC 9112, 7.1.2). */

export type Trailer = readonly [name: string, value: string];

const MAX_FIELDS = 64;
const LINE =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*$/;

/**
 * Fields that frame, route, authenticate, control or describe a message must be known before its
 * content: one that comes behind it is dropped (6.5.1).
 */
const FORBIDDEN =
  /^(transfer-encoding|content-.*|host|trailer|te|connection|keep-alive|proxy-.*|upgrade|expect|max-forwards|range|if-.*|cache-control|pragma|authorization|www-authenticate|authentication-info|cookie|set-cookie|age|date|expires|location|retry-after|vary|warning|forwarded|x-forwarded-.*|x-real-ip)$/;

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
    if (!FORBIDDEN.test(lower)) kept.push([lower, value]);
  }
  return kept;
}
