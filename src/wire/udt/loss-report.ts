import { putWord, word } from "./packet.ts";
import { ahead } from "./sequence.ts";

/*
 * What a NAK says is missing (draft-gg-udt-03 §4.4): packets, and ranges of them.
 *
 *     0 | packet                    one
 *     1 | first, 0 | last           from the first to the last
 */
const RANGE = 0x8000_0000;

/**
 * Give each range of `bytes[at..to)` to `take`, until it says false. False: it did, or a range has no end or is the
 * wrong way round.
 */
export function eachLoss(
  bytes: Uint8Array,
  at: number,
  to: number,
  take: (first: number, last: number) => boolean,
): boolean {
  for (; at + 4 <= to; at += 4) {
    const head = word(bytes, at);
    const first = head & 0x7fff_ffff;
    let last = first;
    if (head >= RANGE) {
      at += 4;
      if (at + 4 > to) return false;
      last = word(bytes, at);
      if (last >= RANGE || ahead(last, first) < 0) return false;
    }
    if (!take(first, last)) return false;
  }
  return true;
}

/** Write a range at `out[at..]`: its length, 4 or 8. */
export function putLoss(out: Uint8Array, at: number, first: number, last: number): number {
  if (first === last) {
    putWord(out, at, last);
    return 4;
  }
  putWord(out, at, (first | RANGE) >>> 0);
  putWord(out, at + 4, last);
  return 8;
}
