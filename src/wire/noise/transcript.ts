import type { Primitives } from "./primitives.ts";
import { NOISE_NAME } from "./protocol.ts";

const EMPTY = new Uint8Array();
const ONE = Uint8Array.of(1);
const TWO = Uint8Array.of(2);
const THREE = Uint8Array.of(3);

/** What both have said and agreed upon so far (Noise, 5.2: SymmetricState). */
export class Transcript {
  readonly #primitives: Primitives;
  #chain: Uint8Array;
  #hash: Uint8Array;

  constructor(primitives: Primitives, prologue: Uint8Array) {
    this.#primitives = primitives;
    // The name has more than 32 bytes: its hash stands for it.
    this.#chain = primitives.hash(NOISE_NAME);
    this.#hash = primitives.hash(this.#chain, prologue);
  }

  /** One that goes its own way from here: what is tried with it can be forgotten. */
  copy(): Transcript {
    const copy = new Transcript(this.#primitives, EMPTY);
    copy.#chain = this.#chain;
    copy.#hash = this.#hash;
    return copy;
  }

  /** The hash of all that was said: the same at both ends. */
  get hash(): Uint8Array {
    return this.#hash;
  }

  mixHash(bytes: Uint8Array): void {
    this.#hash = this.#primitives.hash(this.#hash, bytes);
  }

  /** A secret more; the key for what is sealed next. */
  mixKey(secret: Uint8Array): Uint8Array {
    const [chain, key] = this.#derive(secret);
    this.#chain = chain;
    return key;
  }

  /** As `mixKey`, with a secret that was known before (Noise, 9). */
  mixKeyAndHash(secret: Uint8Array): Uint8Array {
    const [chain, hash, key] = this.#derive(secret);
    this.#chain = chain;
    this.mixHash(hash);
    return key;
  }

  /** Sealed together with all that was said so far. */
  seal(key: Uint8Array, text: Uint8Array): Uint8Array {
    const sealed = this.#primitives.seal(key, text, this.#hash);
    this.mixHash(sealed);
    return sealed;
  }

  /** Undefined when they did not say the same so far. */
  open(key: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const text = this.#primitives.open(key, sealed, this.#hash);
    if (text !== undefined) this.mixHash(sealed);
    return text;
  }

  /** The end: keys for what the initiator says, and for what the responder does. */
  split(): readonly [Uint8Array, Uint8Array] {
    const [initiators, responders] = this.#derive(EMPTY);
    return [initiators, responders];
  }

  /** HKDF (Noise, 4.3). */
  #derive(secret: Uint8Array): readonly [Uint8Array, Uint8Array, Uint8Array] {
    const by = this.#primitives;
    const temporary = by.hmac(this.#chain, secret);
    const first = by.hmac(temporary, ONE);
    const second = by.hmac(temporary, first, TWO);
    return [first, second, by.hmac(temporary, second, THREE)];
  }
}
