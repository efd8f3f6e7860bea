/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012) over 32-bit halves: 64-bit integers would be made anew
 * for every operation. Each 64-bit word is a pair, low and high.
 */

/** A key of 16 bytes as four words, as `sipHash` wants it. */
export function sipKey(secret: Uint8Array): Uint32Array {
  if (secret.length !== 16)
    throw new RangeError(`a SipHash key has 16 bytes, not ${secret.length}`);
  return Uint32Array.from([0, 4, 8, 12], (at) => little(secret, at));
}

/** Rounds for each block of 8 bytes, and at the end. */
const BLOCK_ROUNDS = 2;
const LAST_ROUNDS = 4;

/** The hash of the first `length` bytes, its 8 bytes into `out` at `at`, lowest first. */
export function sipHash(
  key: Uint32Array,
  bytes: Uint8Array,
  length: number,
  out: Uint8Array,
  at: number,
): void {
  const k0l = key[0] as number;
  const k0h = key[1] as number;
  const k1l = key[2] as number;
  const k1h = key[3] as number;
  // One loop over local variables: anywhere else they would live in memory.
  let v0l = k0l ^ 0x70736575;
  let v0h = k0h ^ 0x736f6d65;
  let v1l = k1l ^ 0x6e646f6d;
  let v1h = k1h ^ 0x646f7261;
  let v2l = k0l ^ 0x6e657261;
  let v2h = k0h ^ 0x6c796765;
  let v3l = k1l ^ 0x79746573;
  let v3h = k1h ^ 0x74656462;
  let low = 0;
  let high = 0;

  const blocks = (length >>> 3) + 1;
  const rounds = blocks * BLOCK_ROUNDS + LAST_ROUNDS;
  for (let round = 0; round < rounds; round++) {
    const block = round >>> 1;
    const first = (round & 1) === 0;
    if (first && block < blocks) {
      const from = block * 8;
      if (block < blocks - 1) {
        low = little(bytes, from);
        high = little(bytes, from + 4);
      } else {
        low = tail(bytes, from, length);
        high = tail(bytes, from + 4, length) | (length << 24);
      }
      v3l ^= low;
      v3h ^= high;
    } else if (first && block === blocks) v2l ^= 0xff;

    // v0 += v1; v1 <<<= 13; v1 ^= v0; v0 <<<= 32
    let sum = (v0l >>> 0) + (v1l >>> 0);
    v0h = (v0h + v1h + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    v0l = sum | 0;
    let turned = (v1h << 13) | (v1l >>> 19);
    v1l = ((v1l << 13) | (v1h >>> 19)) ^ v0l;
    v1h = turned ^ v0h;
    turned = v0h;
    v0h = v0l;
    v0l = turned;
    // v2 += v3; v3 <<<= 16; v3 ^= v2
    sum = (v2l >>> 0) + (v3l >>> 0);
    v2h = (v2h + v3h + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    v2l = sum | 0;
    turned = (v3h << 16) | (v3l >>> 16);
    v3l = ((v3l << 16) | (v3h >>> 16)) ^ v2l;
    v3h = turned ^ v2h;
    // v0 += v3; v3 <<<= 21; v3 ^= v0
    sum = (v0l >>> 0) + (v3l >>> 0);
    v0h = (v0h + v3h + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    v0l = sum | 0;
    turned = (v3h << 21) | (v3l >>> 11);
    v3l = ((v3l << 21) | (v3h >>> 11)) ^ v0l;
    v3h = turned ^ v0h;
    // v2 += v1; v1 <<<= 17; v1 ^= v2; v2 <<<= 32
    sum = (v2l >>> 0) + (v1l >>> 0);
    v2h = (v2h + v1h + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    v2l = sum | 0;
    turned = (v1h << 17) | (v1l >>> 15);
    v1l = ((v1l << 17) | (v1h >>> 15)) ^ v2l;
    v1h = turned ^ v2h;
    turned = v2h;
    v2h = v2l;
    v2l = turned;

    if (!first && block < blocks) {
      v0l ^= low;
      v0h ^= high;
    }
  }
  putLittle(out, at, v0l ^ v1l ^ v2l ^ v3l);
  putLittle(out, at + 4, v0h ^ v1h ^ v2h ^ v3h);
}

/** Up to four bytes of what is left behind the last whole block. */
function tail(bytes: Uint8Array, from: number, length: number): number {
  let word = 0;
  const end = Math.min(length, from + 4);
  for (let i = from; i < end; i++) word |= (bytes[i] as number) << ((i - from) * 8);
  return word;
}

function little(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function putLittle(out: Uint8Array, at: number, word: number): void {
  out[at] = word;
  out[at + 1] = word >>> 8;
  out[at + 2] = word >>> 16;
  out[at + 3] = word >>> 24;
}
