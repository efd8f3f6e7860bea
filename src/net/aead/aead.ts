import type { Block } from "../../sys/memory.ts";

/**
 * Authenticated encryption with keys of 32 bytes: GCM in records of TLS (RFC 5288), and RFC 8439 as
 * WireGuard has it.
 */
export type AeadName = "aes-256-gcm" | "chacha20-poly1305";

/** Bytes that a sealed message is longer. */
export const TAG = 16;

/**
 * A key that seals. Counters are up to 2^53: with a new key every few minutes nobody gets there.
 * Never seal twice with one counter.
 *
 * The nonce of ChaCha20 is four zero bytes, then the counter, lowest byte first, and nothing is
 * authenticated besides. That of GCM is four zero bytes, then the counter, highest byte first; and
 * `gcmAdditional` is authenticated.
 */
export interface Sealer {
  /**
   * Seal `length` bytes at `at` where they stand; the tag comes behind. The eight bytes in front are
   * the counter already, as the nonce has it, or become so. Throws a RangeError when there is no room.
   */
  seal(counter: number, memory: Block, at: number, length: number): void;
  /** Wipe the key. It must not be used again. */
  free(): void;
}

/** A key that opens. */
export interface Opener {
  /**
   * The reverse of `seal`: `length` bytes at `at`, with the counter in front and the tag behind, come
   * out at `toAt` in `to`. False when they are not what was sealed: then whatever is in both places
   * now is to be ignored.
   */
  open(
    counter: number,
    memory: Block,
    at: number,
    length: number,
    to: Block,
    toAt: number,
  ): boolean;
  free(): void;
}

/** One cipher, as one library does it. */
export interface Aead {
  readonly name: AeadName;
  readonly by: "libcrypto" | "node:crypto" | "noble";
  sealer(key: Uint8Array): Sealer;
  opener(key: Uint8Array): Opener;
}
