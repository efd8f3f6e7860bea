/**
 * DNS cookies (RFC 7873) whose server half any server with the same secret makes and reads alike
 * (RFC 9018, 4):
 *
 *     client cookie(8)  version(1)=1  reserved(3)  time(4)  SipHash-2-4(8)
 *
 * The hash is over all in front of it and the client's address. Nothing here is allocated.
 */
import { sipHash } from "./siphash.ts";

export const CLIENT_COOKIE = 8;
const SERVER_COOKIE = 16;
/** What an answer carries. */
export const FULL_COOKIE: number = CLIENT_COOKIE + SERVER_COOKIE;

const VERSION = 1;
/** RFC 9018, 4.3: older ones are of no use, */
const MAX_AGE_S = 3600;
/** nor are those from the future, but for a little between clocks; */
const MAX_AHEAD_S = 300;
/** a cookie this old gets a new one, a younger one may be kept. */
const RENEW_AGE_S = 1800;

/** The bytes hashed: 16 of cookie and an IPv6 address. */
const input = new Uint8Array(32);
const hash = new Uint8Array(8);

/** "fresh" and "aging" are the client's own; "aging" wants a new one; "bad" is no proof of anything. */
export type CookieState = "fresh" | "aging" | "bad";

/**
 * Write the cookie of an answer, 24 bytes at `at` of `out`: the client's 8 bytes, which are at
 * `from` of `bytes`, and ours. `client` is its address in 4 or 16 bytes, `key` is from `sipKey`.
 */
export function writeCookie(
  key: Uint32Array,
  bytes: Uint8Array,
  from: number,
  client: Uint8Array,
  seconds: number,
  out: Uint8Array,
  at: number,
): void {
  for (let i = 0; i < CLIENT_COOKIE; i++) out[at + i] = bytes[from + i] as number;
  out[at + 8] = VERSION;
  out[at + 9] = out[at + 10] = out[at + 11] = 0;
  out[at + 12] = seconds >>> 24;
  out[at + 13] = seconds >>> 16;
  out[at + 14] = seconds >>> 8;
  out[at + 15] = seconds;
  digest(key, out, at, client);
  for (let i = 0; i < hash.length; i++) out[at + 16 + i] = hash[i] as number;
}

/** What the cookie of `length` bytes at `from` of a query is worth. */
export function checkCookie(
  key: Uint32Array,
  bytes: Uint8Array,
  from: number,
  length: number,
  client: Uint8Array,
  seconds: number,
): CookieState {
  if (length !== FULL_COOKIE || bytes[from + 8] !== VERSION) return "bad";
  let time = 0;
  for (let i = 12; i < 16; i++) time = (time << 8) | (bytes[from + i] as number);
  const age = (seconds - time) | 0; // serial numbers: right beyond 2106 (RFC 1982)
  if (age > MAX_AGE_S || age < -MAX_AHEAD_S) return "bad";
  digest(key, bytes, from, client);
  let differing = 0;
  for (let i = 0; i < hash.length; i++)
    differing |= (hash[i] as number) ^ (bytes[from + 16 + i] as number);
  if (differing !== 0) return "bad";
  return age > RENEW_AGE_S ? "aging" : "fresh";
}

function digest(key: Uint32Array, bytes: Uint8Array, from: number, client: Uint8Array): void {
  for (let i = 0; i < 16; i++) input[i] = bytes[from + i] as number;
  for (let i = 0; i < client.length; i++) input[16 + i] = client[i] as number;
  sipHash(key, input, 16 + client.length, hash, 0);
}
