import { directivesOf, expiresOf, HEURISTIC, type ReplyFields, type Rules } from "./stored.ts";

/** Statuses whose caching is understood here: what `must-understand` asks for (RFC 9111, 5.2.2.3). */
const UNDERSTOOD = new Set([
  200, 203, 204, 300, 301, 302, 303, 307, 308, 400, 403, 404, 405, 410, 414, 451, 500, 501, 502,
  503, 504,
]);
/** What is asked for, as far as it decides about keeping the answer. */
export interface Asking {
  readonly method: string;
  readonly authorization: boolean;
  /** The request's own `Cache-Control: no-store`. */
  readonly noStore: boolean;
}

/** Why a response is not kept: a word for Cache-Status and for people. */
export type NotKept =
  | "method"
  | "status"
  | "request"
  | "no-store"
  | "private"
  | "authorization"
  | "vary"
  | "set-cookie"
  | "no-freshness";

/**
 * May a shared cache keep this response (RFC 9111, 3)? Undefined: yes. Beyond the RFC, a response
 * that sets a cookie is kept only when it says `public` or `s-maxage`: cookies of one visitor
 * given to all are the oldest accident there is.
 */
export function notKept(
  asking: Asking,
  status: number,
  fields: ReplyFields,
  rules: Rules,
): NotKept | undefined {
  const said = directivesOf(fields);
  if (asking.method !== "GET" && asking.method !== "HEAD") return "method";
  if (status < 200 || status === 206 || status === 304) return "status";
  if (said.mustUnderstand ? !UNDERSTOOD.has(status) : said.noStore)
    return said.mustUnderstand ? "status" : "no-store";
  if (asking.noStore) return "request";
  if (said.private === true) return "private";
  if (asking.authorization && !said.public && !said.mustRevalidate && said.sMaxage === undefined)
    return "authorization";
  if ((fields.get("vary") ?? "").split(",").some((name) => name.trim() === "*")) return "vary";
  if (fields.has("set-cookie") && !said.public && said.sMaxage === undefined) return "set-cookie";
  const told =
    said.sMaxage !== undefined ||
    said.maxAge !== undefined ||
    expiresOf(fields) !== undefined ||
    rules.defaults.has(status);
  const usable = told || HEURISTIC.has(status) || said.public;
  if (!usable) return "no-freshness";
  const validator = fields.has("etag") || fields.has("last-modified");
  // Without a lifetime and without a way to ask again it could never be used.
  return told || validator ? undefined : "no-freshness";
}
