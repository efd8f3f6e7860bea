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

let v0l = 0;
let v0h = 0;
let v1l = 0;
let v1h = 0;
let v2l = 0;
let v2h = 0;
let v3l = 0;
let v3h = 0;

/** The hash of the first `length` bytes, its 8 bytes into `out` at `at`, lowest first. */
export function sipHash(
  key: Uint32Array,
  bytes: Uint8Array,
  length: number,
  out: Uint8Array,
  at: number,
): void {
  const [k0l = 0, k0h = 0, k1l = 0, k1h = 0] = key;
  v0l = k0l ^ 0x70736575;
  v0h = k0h ^ 0x736f6d65;
  v1l = k1l ^ 0x6e646f6d;
  v1h = k1h ^ 0x646f7261;
  v2l = k0l ^ 0x6e657261;
  v2h = k0h ^ 0x6c796765;
  v3l = k1l ^ 0x79746573;
  v3h = k1h ^ 0x74656462;

  const whole = length & ~7;
  for (let i = 0; i < whole; i += 8) take(little(bytes, i), little(bytes, i + 4));
  let low = 0;
  let high = 0;
  for (let i = whole; i < length; i++) {
    const shift = (i & 3) * 8;
    if (i - whole < 4) low |= (bytes[i] as number) << shift;
    else high |= (bytes[i] as number) << shift;
  }
  take(low, high | (length << 24));

  v2l ^= 0xff;
  for (let i = 0; i < 4; i++) round();
  putLittle(out, at, v0l ^ v1l ^ v2l ^ v3l);
  putLittle(out, at + 4, v0h ^ v1h ^ v2h ^ v3h);
}

function take(low: number, high: number): void {
  v3l ^= low;
  v3h ^= high;
  round();
  round();
  v0l ^= low;
  v0h ^= high;
}

function round(): void {
  let low = (v0l >>> 0) + (v1l >>> 0);
  v0h = (v0h + v1h + (low > 0xffff_ffff ? 1 : 0)) | 0;
  v0l = low | 0;
  let high = (v1h << 13) | (v1l >>> 19);
  v1l = ((v1l << 13) | (v1h >>> 19)) ^ v0l;
  v1h = high ^ v0h;
  high = v0h;
  v0h = v0l;
  v0l = high;

  low = (v2l >>> 0) + (v3l >>> 0);
  v2h = (v2h + v3h + (low > 0xffff_ffff ? 1 : 0)) | 0;
  v2l = low | 0;
  high = (v3h << 16) | (v3l >>> 16);
  v3l = ((v3l << 16) | (v3h >>> 16)) ^ v2l;
  v3h = high ^ v2h;

  low = (v0l >>> 0) + (v3l >>> 0);
  v0h = (v0h + v3h + (low > 0xffff_ffff ? 1 : 0)) | 0;
  v0l = low | 0;
  high = (v3h << 21) | (v3l >>> 11);
  v3l = ((v3l << 21) | (v3h >>> 11)) ^ v0l;
  v3h = high ^ v0h;

  low = (v2l >>> 0) + (v1l >>> 0);
  v2h = (v2h + v1h + (low > 0xffff_ffff ? 1 : 0)) | 0;
  v2l = low | 0;
  high = (v1h << 17) | (v1l >>> 15);
  v1l = ((v1l << 17) | (v1h >>> 15)) ^ v2l;
  v1h = high ^ v2h;
  high = v2h;
  v2h = v2l;
  v2l = high;
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
