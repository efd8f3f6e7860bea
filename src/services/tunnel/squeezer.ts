import { deflateSync, inflateSync } from "node:zlib";

import type { Block } from "../../sys/memory.ts";
import { compress as lzo } from "../../wire/lzo/compress.ts";
import { decompress as unlzo } from "../../wire/lzo/decompress.ts";
import { AT, KIND, MAX_PACKET, TRAILER } from "../../wire/tunnel/plaintext.ts";
import { contentOf } from "../../wire/tunnel/zstd-frame.ts";

/** What a plaintext may be compressed by, as its trailer says it (wire/tunnel/plaintext.ts). */
const METHOD = { zlib: 1, lzo: 2, zstd: 3 } as const;

export type Method = keyof typeof METHOD;

/** Shorter ones have nothing to lose. */
const LEAST = 128;
/** Part that has to be gained. */
const WORTH = 1 / 16;
/** What could not be compressed is followed by more of its kind: at most 2^6 are not tried. */
const MOST_SKIPS = 6;
/** Packets have to leave: the fast ones. */
const FAST = { level: 1 } as const;

/** Compresses plaintexts where that gains something; all others go as they are. */
export class Squeezer {
  readonly #method: Method;
  #skips = 0;
  #skipping = 0;

  constructor(method: Method) {
    this.#method = method;
  }

  /** `length` bytes of plaintext at `at`, trailer included, become fewer, or stay: how many there are now. */
  pack({ bytes, view }: Block, at: number, length: number): number {
    if (length < LEAST) return length;
    if (this.#skipping > 0) {
      this.#skipping--;
      return length;
    }
    const packed = pack(this.#method, bytes.subarray(at, at + length));
    const next = packed.length + TRAILER;
    if (next > length * (1 - WORTH)) {
      this.#skips = Math.min(MOST_SKIPS, this.#skips + 1);
      this.#skipping = 2 ** this.#skips;
      return length;
    }
    this.#skips = 0;
    bytes.set(packed, at);
    const trailer = at + packed.length;
    bytes.fill(0, trailer, trailer + TRAILER);
    bytes[trailer + AT.kind] = KIND.squeezed;
    bytes[trailer + AT.gso] = METHOD[this.#method];
    view.setUint16(trailer + AT.size, length);
    return next;
  }
}

/**
 * The reverse, in place: the plaintext's length; 0 when it is no compressed one. Never longer than it
 * says, nor than a packet and its trailer, whatever is in it.
 */
export function unpack({ bytes, view }: Block, at: number, length: number): number {
  const trailer = at + length - TRAILER;
  if (length <= TRAILER || bytes[trailer + AT.kind] !== KIND.squeezed) return 0;
  const size = view.getUint16(trailer + AT.size);
  if (size <= TRAILER || size > MAX_PACKET) return 0;
  const plain = unpacked(view.getUint8(trailer + AT.gso), bytes.subarray(at, trailer), size);
  // One in another would be a way to make us work.
  if (plain?.length !== size || plain[size - TRAILER + AT.kind] === KIND.squeezed) return 0;
  bytes.set(plain, at);
  return size;
}

function pack(method: Method, plain: Uint8Array<ArrayBuffer>): Uint8Array {
  switch (method) {
    case "zlib":
      return deflateSync(plain, FAST);
    case "lzo":
      return lzo(plain);
    case "zstd":
      return Bun.zstdCompressSync(plain, FAST);
  }
}

function unpacked(
  method: number,
  packed: Uint8Array<ArrayBuffer>,
  size: number,
): Uint8Array | undefined {
  try {
    switch (method) {
      case METHOD.zlib:
        return inflateSync(packed, { maxOutputLength: size });
      case METHOD.lzo:
        return unlzo(packed, size);
      case METHOD.zstd:
        // It is made as long as the frame says: so that is to be asked first.
        return contentOf(packed) === size ? Bun.zstdDecompressSync(packed) : undefined;
      default:
        return undefined;
    }
  } catch {
    return undefined; // it is no such thing
  }
}
