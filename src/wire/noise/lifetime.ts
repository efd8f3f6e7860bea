import { KEEPALIVE_TIMEOUT_MS, REJECT_AFTER_MS, REKEY_TIMEOUT_MS } from "./deadlines.ts";
import type { Keypair } from "./keypair.ts";

// WireGuard, 6.1.
const REKEY_AFTER_MS = 120_000;
/** WireGuard says 2^60 and almost 2^64: numbers are exact up to 2^53, which takes as many centuries. */
const REKEY_AFTER_MESSAGES = 2 ** 52;
const REJECT_AFTER_MESSAGES = 2 ** 53 - 2 ** 13;
/** Age of a key, in ms, at which a new one has just the time to come before this one is refused (6.2). */
const LAST_MINUTE_MS = REJECT_AFTER_MS - KEEPALIVE_TIMEOUT_MS - REKEY_TIMEOUT_MS;

type Aging = Pick<Keypair<unknown>, "born" | "counter" | "isInitiator">;

/** Is what was sealed with it still taken, at `now` ms? */
export function mayReceive(keypair: Aging, now: number): boolean {
  return now - keypair.born < REJECT_AFTER_MS;
}

export function maySend(keypair: Aging, now: number): boolean {
  return mayReceive(keypair, now) && keypair.counter < REJECT_AFTER_MESSAGES;
}

/** Should there be a new one, now that something was sent with it? Of the age only who began looks, once for both. */
export function isOld(keypair: Aging, now: number): boolean {
  const isAged = keypair.isInitiator && now - keypair.born >= REKEY_AFTER_MS;
  return isAged || keypair.counter >= REKEY_AFTER_MESSAGES;
}

/** Should there be a new one, now that something came, though nothing is sent? */
export function isLastMinute(keypair: Aging, now: number): boolean {
  return keypair.isInitiator && now - keypair.born >= LAST_MINUTE_MS;
}
