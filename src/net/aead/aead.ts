import type { Block } from "../../sys/memory.ts";

/** Authenticated encryption with keys of 32 bytes: RFC 5116 (GCM) and RFC 8439. */
export type AeadName = "aes-256-gcm" | "chacha20-poly1305";

/** Bytes that a sealed message is longer. */
export const TAG = 16;

/**
 * A key that seals. Counters are up to 2^53: with a new key every few minutes nobody gets there.
 * The nonce is WireGuard's: four zero bytes, then the counter, lowest byte first. Never seal twice
 * with one counter.
 */
export interface Sealer {
  /**
   * Make `[ad][head][body][tag]` in `sealed`, from `at` on. The first `ad` bytes are in clear, but
   * authenticated; the `head` bytes behind are sealed where they stand; the `body` comes from
   * `fromAt` in `from` (with body 0 nothing does). Ends at `at + ad + head + body + TAG`. Throws a
   * RangeError when that is behind the block's end.
   */
  seal(
    counter: number,
    sealed: Block,
    at: number,
    ad: number,
    head: number,
    from: Block,
    fromAt: number,
    body: number,
  ): void;
  /** Wipe the key. It must not be used again. */
  free(): void;
}

/** A key that opens. */
export interface Opener {
  /**
   * The reverse of `seal`: the head is opened where it stands, the body into `to`. False when it is
   * not what was sealed: then whatever stands there now is to be ignored.
   */
  open(
    counter: number,
    sealed: Block,
    at: number,
    ad: number,
    head: number,
    body: number,
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
