import { cookieOf, MAC } from "./message.ts";
import type { Primitives } from "./primitives.ts";
import type { Protocol } from "./protocol.ts";

/** How long a cookie is good, in ms: as long as its secret (WireGuard, 5.4.7). */
export const COOKIE_MS = 120_000;

/**
 * What one end needs for the MACs of its handshakes to the other: MAC1 shows that we know whom we
 * speak to, MAC2 that we were given a cookie, so that we are where we say.
 */
export class CookieJar {
  readonly #primitives: Primitives;
  readonly #mac1Key: Uint8Array;
  readonly #cookieKey: Uint8Array;
  #lastMac1: Uint8Array | undefined;
  #cookie: { readonly value: Uint8Array; readonly until: number } | undefined;

  constructor(primitives: Primitives, protocol: Protocol, peer: Uint8Array) {
    this.#primitives = primitives;
    this.#mac1Key = primitives.hash(protocol.labelMac1, peer);
    this.#cookieKey = primitives.hash(protocol.labelCookie, peer);
  }

  /** Write both MACs at the end of an initiation or a response. */
  sign(message: Uint8Array, now: number): void {
    const mac1At = message.length - 2 * MAC;
    const mac1 = this.#primitives.mac(this.#mac1Key, message.subarray(0, mac1At));
    message.set(mac1, mac1At);
    this.#lastMac1 = mac1;
    if (this.#cookie === undefined || now >= this.#cookie.until) return;
    const signed = message.subarray(0, mac1At + MAC);
    message.set(this.#primitives.mac(this.#cookie.value, signed), mac1At + MAC);
  }

  /** A cookie reply. False when it is not for what we sent last. */
  take(reply: Uint8Array, now: number): boolean {
    if (this.#lastMac1 === undefined) return false;
    const { nonce, sealed } = cookieOf(reply);
    const value = this.#primitives.openX(this.#cookieKey, nonce, sealed, this.#lastMac1);
    if (value === undefined) return false;
    this.#lastMac1 = undefined; // one cookie for each message
    this.#cookie = { value, until: now + COOKIE_MS };
    return true;
  }
}
