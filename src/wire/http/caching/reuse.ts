import type { Directives } from "./cache-control.ts";
import type { Freshness } from "./stored.ts";

/**
 * What to do with a stored response: use it; use it and ask for a newer one behind the scenes; ask
 * first whether it still holds. `stale`: it may stand in when asking fails.
 */
export type Reuse =
  | { readonly kind: "fresh" }
  | { readonly kind: "background" }
  | { readonly kind: "ask"; readonly stale: boolean };

const FRESH: Reuse = { kind: "fresh" };
const BACKGROUND: Reuse = { kind: "background" };
const ASK: Reuse = { kind: "ask", stale: false };
const ASK_OR_STALE: Reuse = { kind: "ask", stale: true };
const SECOND = 1000;

/** Age in milliseconds at `now` (RFC 9111, 4.2.3). Never negative. */
export function ageAt({ born }: Freshness, now: number): number {
  return Math.max(0, now - born);
}

/**
 * How a stored response answers a request at `now` (milliseconds since 1970; RFC 9111, 4.2.4 and
 * 5.2.1; RFC 5861). `asked`: what the client says of caching, where the operator lets clients
 * decide; undefined otherwise.
 */
export function reuse(stored: Freshness, asked: Directives | undefined, now: number): Reuse {
  const age = ageAt(stored, now);
  const staleFor = age - stored.lifetime;
  const inReserve = !stored.strict && !stored.always && staleFor < stored.staleIfError;
  const ask = inReserve ? ASK_OR_STALE : ASK;
  if (stored.always) return ask;
  if (asked !== undefined) {
    if (asked.noCache !== false && !(stored.immutable && staleFor < 0)) return ask;
    if (asked.maxAge !== undefined && age > asked.maxAge * SECOND && !stored.immutable) return ask;
    if (asked.minFresh !== undefined && -staleFor < asked.minFresh * SECOND) return ask;
    if (asked.maxStale !== undefined && !stored.strict && staleFor < asked.maxStale * SECOND)
      return FRESH;
  }
  if (staleFor < 0) return FRESH;
  return staleFor < stored.staleWhileRevalidate ? BACKGROUND : ask;
}
