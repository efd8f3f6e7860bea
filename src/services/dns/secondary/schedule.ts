import type { SoaNumbers } from "./soa.ts";

/** However often a zone wants to be looked at. Milliseconds. */
const LEAST_MS = 2000;
/** However seldom: a day. */
const MOST_MS = 86_400_000;
/** A zone that has never come is asked for this often at last. */
const MOST_FIRST_MS = 60_000;
/** Share of a pause that chance takes off, so that a thousand zones are not looked at at once. */
const JITTER = 0.1;

/** Milliseconds until the primaries are asked again, after they have answered (RFC 1035, 3.3.13). `dice`: 0 to 1. */
export function refreshPause({ refresh }: SoaNumbers, dice: number): number {
  return jittered(within(refresh * 1000, MOST_MS), dice);
}

/** The same after `failures` in a row, counted from 1; `soa` undefined: the zone has never come. */
export function retryPause(soa: SoaNumbers | undefined, failures: number, dice: number): number {
  if (soa === undefined)
    return jittered(within(LEAST_MS * 2 ** (failures - 1), MOST_FIRST_MS), dice);
  return jittered(within(Math.min(soa.retry, soa.refresh) * 1000, MOST_MS), dice);
}

/**
 * Milliseconds after which a zone that no primary has confirmed must not be served any more. A
 * zone that expires before its primaries are asked twice would be a mistake (RFC 1912, 2.2).
 */
export function lifetime({ refresh, retry, expire }: SoaNumbers): number {
  return Math.max(expire, refresh + retry) * 1000;
}

function within(ms: number, most: number): number {
  return Math.min(Math.max(ms, LEAST_MS), most);
}

function jittered(ms: number, dice: number): number {
  return ms * (1 - JITTER * dice);
}
