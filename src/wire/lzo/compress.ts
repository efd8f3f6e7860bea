/** Places that are remembered, by a hash of the four bytes there. */
const PLACES = 1 << 13;
const LEAST_MATCH = 4;
/** How far the three kinds of match reach, and how long the first is at most. */
const NEAR = 2048;
const NEAR_LONGEST = 8;
const FAR = 16_384;
const FARTHEST = 49_151;
/** Literals at the very beginning that one byte says. */
const FIRST_LITERALS = 238;

/**
 * LZO1X of `bytes`, which any of its decompressors reads: each match is the latest place where the
 * same four bytes stood. Not the same bytes as lzo1x_1_compress writes, and about as many.
 */
export function compress(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  const out = new Uint8Array(length + Math.ceil(length / 16) + 64);
  const places = new Int32Array(PLACES).fill(-1);
  let done = 0;
  let literal = 0;

  const long = (more: number): void => {
    let left = more;
    for (; left > 255; left -= 255) out[done++] = 0;
    out[done++] = left;
  };
  /** What has not been matched before `end`. */
  const literals = (end: number): void => {
    const count = end - literal;
    if (count === 0) return;
    if (done === 0 && count <= FIRST_LITERALS) out[done++] = 17 + count;
    else if (done > 0 && count < 4)
      out[done - 2] = (out[done - 2] as number) | count; // in the match before
    else if (count - 3 <= 15) out[done++] = count - 3;
    else {
      out[done++] = 0;
      long(count - 3 - 15);
    }
    out.set(bytes.subarray(literal, end), done);
    done += count;
  };
  const match = (distance: number, count: number): void => {
    if (distance <= NEAR && count <= NEAR_LONGEST) {
      out[done++] = ((count - 1) << 5) | (((distance - 1) & 7) << 2);
      out[done++] = (distance - 1) >>> 3;
      return;
    }
    const near = distance <= FAR;
    const from = near ? distance - 1 : distance - FAR;
    const field = near ? 31 : 7;
    const kind = near ? 32 : 16 | ((from >>> 14) << 3);
    if (count - 2 <= field) out[done++] = kind | (count - 2);
    else {
      out[done++] = kind;
      long(count - 2 - field);
    }
    out[done++] = (from << 2) & 0xff;
    out[done++] = (from >>> 6) & 0xff;
  };

  for (let at = 0; at + LEAST_MATCH <= length;) {
    const word = wordAt(bytes, at);
    const hash = Math.imul(word, 0x9e37_79b1) >>> 19;
    const before = places[hash] as number; // 13 bits
    places[hash] = at;
    if (before < 0 || at - before > FARTHEST || wordAt(bytes, before) !== word) {
      at++;
      continue;
    }
    let end = at + LEAST_MATCH;
    while (end < length && bytes[end] === bytes[end - at + before]) end++;
    literals(at);
    match(at - before, end - at);
    literal = at = end;
  }
  literals(length);
  out.set([17, 0, 0], done); // a far match of distance 16 384
  return out.slice(0, done + 3);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}
