import { parseDate } from "../date.ts";
import { type Directives, NOTHING_SAID, parseCacheControl } from "./cache-control.ts";
import { parseTargeted } from "./targeted.ts";

/** Fields of a response in lower case; repeated ones joined with ", " but for Set-Cookie. */
export type ReplyFields = ReadonlyMap<string, string>;

/** A response as a cache sees it. Times are milliseconds since 1970. */
export interface Seen {
  readonly status: number;
  readonly fields: ReplyFields;
  /** When the request for it was sent, and when its head had come. */
  readonly asked: number;
  readonly came: number;
}

/** What the operator decides where the origin is silent, or not to be believed. Seconds. */
export interface Rules {
  /** Lifetimes by status for responses that tell none: negative caching. */
  readonly defaults: ReadonlyMap<number, number>;
  /** Most a guess from Last-Modified may come to. */
  readonly heuristicMost: number;
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
}

/** How long a stored response may be used, and how. Milliseconds. */
export interface Freshness {
  /** Its age is the time since then (RFC 9111, 4.2.3). */
  readonly born: number;
  readonly lifetime: number;
  /** Where the lifetime is from: for Cache-Status and for people. */
  readonly from: "s-maxage" | "max-age" | "expires" | "heuristic" | "rule" | "none";
  /** Beyond its lifetime it must be revalidated, whatever else allows it. */
  readonly strict: boolean;
  /** Every use must be revalidated (`no-cache`). */
  readonly always: boolean;
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  /** It will not change within its lifetime, whatever a reload asks (RFC 8246). */
  readonly immutable: boolean;
}

/** Statuses that may be stored without being told how long (RFC 9110, 15.1). */
export const HEURISTIC = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501]);
/** Share of the time since the last change that is a good guess (RFC 9111, 4.2.2). */
const GUESS = 0.1;
const SECOND = 1000;

/**
 * What the response says of its caching: CDN-Cache-Control alone when it is there and can be read
 * (RFC 9213, 2.2), else Cache-Control; Pragma only when both are absent.
 */
export function directivesOf(fields: ReplyFields): Directives {
  const targeted = parseTargeted(fields.get("cdn-cache-control"));
  if (targeted !== undefined) return targeted;
  const general = fields.get("cache-control");
  if (general !== undefined) return parseCacheControl(general);
  return /(?:^|,)\s*no-cache\s*(?:,|$)/i.test(fields.get("pragma") ?? "")
    ? { ...NOTHING_SAID, noCache: true }
    : NOTHING_SAID;
}

/** Expires, unless a targeted field speaks: that speaks alone. */
export function expiresOf(fields: ReplyFields): string | undefined {
  const targeted = parseTargeted(fields.get("cdn-cache-control"));
  return targeted === undefined ? fields.get("expires") : undefined;
}

/** How long `seen` is good for (RFC 9111, 4.2). */
export function freshnessOf(seen: Seen, rules: Rules): Freshness {
  const { status, fields, asked, came } = seen;
  const said = directivesOf(fields);
  const date = parseDate(fields.get("date") ?? "") ?? came;
  const { seconds, from } = lifetimeOf(said, status, fields, date, rules);
  const strict = said.mustRevalidate || said.proxyRevalidate || said.sMaxage !== undefined;
  return {
    born: came - initialAge(fields, date, asked, came),
    lifetime: seconds * SECOND,
    from,
    strict,
    always: said.noCache === true,
    staleWhileRevalidate:
      (strict ? 0 : (said.staleWhileRevalidate ?? rules.staleWhileRevalidate)) * SECOND,
    staleIfError: (strict ? 0 : (said.staleIfError ?? rules.staleIfError)) * SECOND,
    immutable: said.immutable,
  };
}

/** RFC 9111, 4.2.3: the older of what Date and what Age and the way here say. Milliseconds. */
function initialAge(fields: ReplyFields, date: number, asked: number, came: number): number {
  const age = (fields.get("age") ?? "").split(",")[0]?.trim() ?? "";
  const told = /^\d+$/.test(age) ? Math.min(Number(age), 2 ** 31) * SECOND : 0;
  return Math.max(0, came - date, told + Math.max(0, came - asked));
}

function lifetimeOf(
  said: Directives,
  status: number,
  fields: ReplyFields,
  date: number,
  rules: Rules,
): { seconds: number; from: Freshness["from"] } {
  if (said.sMaxage !== undefined) return { seconds: said.sMaxage, from: "s-maxage" };
  if (said.maxAge !== undefined) return { seconds: said.maxAge, from: "max-age" };
  const expires = expiresOf(fields);
  // A date nobody can read is in the past (RFC 9111, 5.3).
  if (expires !== undefined)
    return { seconds: Math.max(0, ((parseDate(expires) ?? 0) - date) / SECOND), from: "expires" };
  const rule = rules.defaults.get(status);
  if (rule !== undefined) return { seconds: rule, from: "rule" };
  const modified = parseDate(fields.get("last-modified") ?? "");
  if (modified === undefined || !(HEURISTIC.has(status) || said.public))
    return { seconds: 0, from: "none" };
  const guess = Math.max(0, ((date - modified) / SECOND) * GUESS);
  return { seconds: Math.min(guess, rules.heuristicMost), from: "heuristic" };
}
