/** What ends a stream: a far match of distance 16 384. */
const END_DISTANCE = 16_384;
/** After a run of literals, short matches reach beyond what the others of their kind can. */
const AFTER_RUN = 2049;

/**
 * LZO1X, as the kernel describes it (Documentation/staging/lzo.rst): a byte says what to copy from
 * where, its lowest two bits or those of its distance how many literals follow. Undefined: it is no
 * such stream, it goes on after its end, or is longer than `most` when unpacked. Takes time in
 * proportion to what it reads and writes, whatever it reads.
 */
export function decompress(bytes: Uint8Array, most: number): Uint8Array | undefined {
  const out = new Uint8Array(most);
  const { length } = bytes;
  let at = 0;
  let done = 0;
  /** Literals that came last: 0 to 3 behind a match, 4 for a run. */
  let state = 0;

  /** A length that does not fit its field: 255 for each zero, then the rest. -1: it has no end. */
  const long = (base: number): number => {
    let more = base;
    for (; at < length; more += 255) {
      const byte = bytes[at++] as number; // within `length`
      if (byte !== 0) return more + byte;
    }
    return -1;
  };
  const literals = (count: number): boolean => {
    if (count > length - at || count > most - done) return false;
    out.set(bytes.subarray(at, at + count), done);
    at += count;
    done += count;
    return true;
  };

  const first = bytes[0] ?? 0;
  if (first > 17) {
    at = 1;
    state = Math.min(first - 17, 4);
    if (!literals(first - 17)) return undefined;
  }
  while (at < length) {
    const op = bytes[at++] as number;
    let count: number;
    let distance: number;
    let next: number;
    if (op < 16 && state === 0) {
      const run = op === 0 ? long(15) : op;
      if (run < 0 || !literals(run + 3)) return undefined;
      state = 4;
      continue;
    }
    if (op >= 16 && op < 64) {
      const near = op >= 32;
      const field = op & (near ? 31 : 7);
      count = field === 0 ? long(near ? 31 : 7) : field;
      if (count < 0 || at + 2 > length) return undefined;
      const word = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
      at += 2;
      count += 2;
      distance = (word >>> 2) + (near ? 1 : END_DISTANCE + ((op & 8) << 11));
      if (!near && distance === END_DISTANCE)
        return at === length ? out.subarray(0, done) : undefined;
      next = word & 3;
    } else {
      if (at >= length) return undefined;
      const high = bytes[at++] as number;
      next = op & 3;
      if (op < 16) {
        count = state === 4 ? 3 : 2;
        distance = (high << 2) + (op >>> 2) + (state === 4 ? AFTER_RUN : 1);
      } else {
        count = (op >>> 5) + 1;
        distance = (high << 3) + ((op >>> 2) & 7) + 1;
      }
    }
    if (distance > done || count > most - done) return undefined;
    // One by one: a match may reach into what it writes.
    for (const end = done + count; done < end; done++) out[done] = out[done - distance] as number;
    state = next;
    if (!literals(next)) return undefined;
  }
  return undefined;
}
