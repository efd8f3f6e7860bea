/** Cache-Status (RFC 9211): one line that tells how the cache came to its answer. */

/** What became of a request in the cache. Seconds. */
export interface CacheOutcome {
  readonly hit: boolean;
  /** Why it went on to the origin (2.2). */
  readonly forward?:
    "bypass" | "method" | "uri-miss" | "vary-miss" | "stale" | "request" | "partial";
  /** Status the origin answered with, when it is not the one sent on. */
  readonly forwardStatus?: number;
  /** What is left of its lifetime; negative when it is stale. */
  readonly ttl?: number;
  /** What came was kept. */
  readonly stored?: boolean;
  /** It was one of several waiting for one request. */
  readonly collapsed?: boolean;
  /** A word for people: why it was not kept, which level it was in. */
  readonly detail?: string;
}

/** Cache names are tokens or strings; ours is a token. `detail` must be one too. */
export function cacheStatus(cache: string, outcome: CacheOutcome): string {
  const { hit, forward, forwardStatus, ttl, stored, collapsed, detail } = outcome;
  let text = cache;
  if (hit) text += "; hit";
  if (forward !== undefined) text += `; fwd=${forward}`;
  if (forwardStatus !== undefined) text += `; fwd-status=${forwardStatus}`;
  if (ttl !== undefined) text += `; ttl=${Math.floor(ttl)}`;
  if (stored === true) text += "; stored";
  if (collapsed === true) text += "; collapsed";
  if (detail !== undefined) text += `; detail=${detail}`;
  return text;
}
