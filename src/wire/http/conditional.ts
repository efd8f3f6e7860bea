/** Conditional requests (RFC 9110, 13). */
import { parseDate } from "./date.ts";
import { matchesStrong, matchesWeak } from "./etag.ts";
import type { Fields } from "./message.ts";

export interface Conditions {
  readonly method: string;
  readonly headers: Fields;
  /** Tag of the representation the request selects. */
  readonly etag?: string | undefined;
  /** Its last change, in milliseconds since 1970; fractions of a second do not count. */
  readonly lastModified?: number | undefined;
  /** Something is there. Said only of what has neither tag nor date, such as a folder in WebDAV. */
  readonly exists?: boolean;
}

/** Methods that neither select nor change a representation ignore conditions (13.2.1). */
const DEAF = new Set(["OPTIONS", "CONNECT", "TRACE"]);

/**
 * What the conditions of a request allow, in the order of 13.2.2: to go on, or to answer 304 or
 * 412 instead. Range and If-Range come after "go": see range.ts.
 */
export function evaluate(c: Conditions): "go" | 304 | 412 {
  const { headers, method } = c;
  if (DEAF.has(method)) return "go";
  const reading = method === "GET" || method === "HEAD";

  const ifMatch = headers.get("if-match");
  if (ifMatch !== null) {
    if (!holds(ifMatch, c, matchesStrong)) return 412;
  } else if (c.lastModified !== undefined) {
    const since = date(headers.get("if-unmodified-since"));
    if (since !== undefined && seconds(c.lastModified) > seconds(since)) return 412;
  }

  const ifNoneMatch = headers.get("if-none-match");
  if (ifNoneMatch !== null) {
    if (holds(ifNoneMatch, c, matchesWeak)) return reading ? 304 : 412;
  } else if (reading && c.lastModified !== undefined) {
    const since = date(headers.get("if-modified-since"));
    if (since !== undefined && seconds(c.lastModified) <= seconds(since)) return 304;
  }
  return "go";
}

/** `*` holds for whatever exists, a list for a representation with one of its tags. */
function holds(
  list: string,
  c: Conditions,
  matches: (list: string, etag: string) => boolean,
): boolean {
  if (list === "*") return c.exists ?? (c.etag !== undefined || c.lastModified !== undefined);
  return c.etag !== undefined && matches(list, c.etag);
}

/** An unreadable date makes its condition void (13.1.3, 13.1.4). */
function date(text: string | null): number | undefined {
  return text === null ? undefined : parseDate(text);
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
