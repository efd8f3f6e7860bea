/** As `pattern` in peers/peer.cc: what byte `i` of a stream is. */
export function patternAt(i: number): number {
  return (i * 7 + Math.floor(i / 256) * 13) & 0xff;
}

/** It repeats after so many bytes: 256 of the first factor, times 256 of the second. */
const PERIOD = 65_536;
const ONCE = Uint8Array.from({ length: 2 * PERIOD }, (_, i) => patternAt(i));

/** Bytes `from` to `to` of it; at most PERIOD. */
export function pattern(from: number, length: number): Uint8Array {
  const at = from % PERIOD;
  return ONCE.subarray(at, at + Math.min(length, PERIOD));
}

/** Are `bytes` what the stream has from `from` on? */
export function isPattern(bytes: Uint8Array, from: number): boolean {
  for (let at = 0; at < bytes.length;) {
    const right = pattern(from + at, bytes.length - at);
    if (Buffer.compare(bytes.subarray(at, at + right.length), right) !== 0) return false;
    at += right.length;
  }
  return true;
}
