import { COOKIE_MS } from "./cookie-jar.ts";
import { emitCookie, MAC, senderOf } from "./message.ts";
import type { Primitives } from "./primitives.ts";
import type { Protocol } from "./protocol.ts";

/**
 * Who may take our time with an initiation or a response: whoever knows our public key and, while there
 * is a crowd, is where he says he is (WireGuard, 5.3). Keeps nothing about anybody.
 */
export class Doorman {
  readonly #primitives: Primitives;
  readonly #mac1Key: Uint8Array;
  readonly #cookieKey: Uint8Array;
  readonly #dice: (bytes: number) => Uint8Array;
  #secret: Uint8Array;
  #secretUntil = -Infinity;

  constructor(
    primitives: Primitives,
    protocol: Protocol,
    own: Uint8Array,
    dice: (bytes: number) => Uint8Array,
  ) {
    this.#primitives = primitives;
    this.#mac1Key = primitives.hash(protocol.labelMac1, own);
    this.#cookieKey = primitives.hash(protocol.labelCookie, own);
    this.#dice = dice;
    this.#secret = new Uint8Array(32);
  }

  /** Does the sender know our public key? Anybody else gets no answer at all. */
  knowsUs(message: Uint8Array): boolean {
    const at = message.length - 2 * MAC;
    const right = this.#primitives.mac(this.#mac1Key, message.subarray(0, at));
    return isSame(right, message.subarray(at, at + MAC));
  }

  /** Has he our cookie for `source`: the bytes of his address and port? */
  hasCookie(message: Uint8Array, source: Uint8Array, now: number): boolean {
    if (now >= this.#secretUntil) return false;
    const at = message.length - MAC;
    const cookie = this.#primitives.mac(this.#secret, source);
    const right = this.#primitives.mac(cookie, message.subarray(0, at));
    return isSame(right, message.subarray(at));
  }

  /** The answer to one who knows us and has no cookie: smaller than what he sent. */
  cookieFor(message: Uint8Array, source: Uint8Array, now: number): Uint8Array {
    if (now >= this.#secretUntil) {
      this.#secret = this.#dice(32);
      this.#secretUntil = now + COOKIE_MS;
    }
    const { length } = message;
    const mac1 = message.subarray(length - 2 * MAC, length - MAC);
    const nonce = this.#dice(24);
    const cookie = this.#primitives.mac(this.#secret, source);
    const sealed = this.#primitives.sealX(this.#cookieKey, nonce, cookie, mac1);
    return emitCookie(senderOf(message), nonce, sealed);
  }
}

/** Compared in a time that tells nothing. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (const [i, byte] of a.entries()) difference |= byte ^ (b[i] ?? 0);
  return difference === 0;
}
