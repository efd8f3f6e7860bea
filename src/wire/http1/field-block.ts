import { COLON, COMMA, CR, HT, is, latin1, LF, SP, TOKEN, VALUE } from "./characters.ts";
import type { FieldTable } from "./field-table.ts";

/** More fields than this are refused. */
export const MAX_FIELDS = 100;
const NONE = -1;

/** The fields of a head as offsets into `bytes`, which the caller reuses: copy what must last. */
export class FieldBlock {
  bytes: Uint8Array = new Uint8Array();
  fields = 0;
  readonly nameStart = new Int32Array(MAX_FIELDS);
  readonly nameEnd = new Int32Array(MAX_FIELDS);
  readonly valueStart = new Int32Array(MAX_FIELDS);
  readonly valueEnd = new Int32Array(MAX_FIELDS);
  /** The number in `known` of each field's name, or -1. */
  readonly number = new Int8Array(MAX_FIELDS);
  /** The hash of each field's name, for another FieldTable. */
  readonly hashes = new Int32Array(MAX_FIELDS);
  /** Behind the last field line: where the empty line begins. */
  linesEnd = 0;
  /** Index of a known field by its number in `known`, -1 when absent; the first one when repeated. */
  readonly slot: Int32Array;
  /** A bit for each known field that came more than once. */
  repeats = 0;
  /** Minor version: 0 or 1. */
  minor = 1;
  keepAlive = true;
  upgrade = false;

  constructor(readonly known: FieldTable) {
    this.slot = new Int32Array(known.size);
  }

  text(start: number, end: number): string {
    return latin1(this.bytes, start, end);
  }

  /** Value of the first known field of that number, or undefined. */
  valueIn(slot: number): string | undefined {
    const i = this.slot[slot] ?? NONE;
    return i < 0 ? undefined : latin1(this.bytes, this.valueStart[i]!, this.valueEnd[i]!);
  }
}

/**
 * Read field lines from `bytes[at, end)` up to and with the empty line, strictly: whatever two
 * readers could understand differently is refused. Returns where they end, 0 when more is needed,
 * -400 or -431.
 */
export function readFields(bytes: Uint8Array, from: number, end: number, into: FieldBlock): number {
  const { nameStart, nameEnd, valueStart, valueEnd, number, hashes, slot, known } = into;
  let at = from;
  slot.fill(NONE);
  let count = 0;
  let repeats = 0;
  for (;;) {
    if (at + 1 >= end) return at < end && bytes[at] !== CR && TOKEN[bytes[at]!] === 0 ? -400 : 0;
    if (bytes[at] === CR) {
      if (bytes[at + 1] !== LF) return -400;
      at += 2;
      break;
    }
    if (count === MAX_FIELDS) return -431;
    const name = at;
    let hash = 0;
    let c = bytes[at]!;
    while (TOKEN[c] === 1) {
      hash = (Math.imul(hash, 31) + (c | 0x20)) | 0;
      if (++at >= end) return 0;
      c = bytes[at]!;
    }
    if (c !== COLON || at === name) return -400;
    nameStart[count] = name;
    nameEnd[count] = at;
    const place = known.find(bytes, name, at, hash);
    number[count] = place;
    hashes[count] = hash;
    at++;
    while (at < end && (bytes[at] === SP || bytes[at] === HT)) at++;
    const value = at;
    while (at < end && VALUE[bytes[at]!] === 1) at++;
    if (at + 1 >= end) return at < end && bytes[at] !== CR ? -400 : 0;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return -400;
    let last = at;
    while (last > value && (bytes[last - 1] === SP || bytes[last - 1] === HT)) last--;
    valueStart[count] = value;
    valueEnd[count] = last;
    if (place >= 0) {
      if (slot[place] === NONE) slot[place] = count;
      else repeats |= 1 << place;
    }
    count++;
    at += 2;
  }
  into.fields = count;
  into.repeats = repeats;
  into.linesEnd = at - 2;
  return at;
}

/** Waiting for more makes sense only while the head may still fit; otherwise the negated status. */
export function more(to: number, from: number, maxHead: number, status: number): number {
  return to - from >= maxHead ? -status : 0;
}

/**
 * What every Connection field says: `close` wins over `keep-alive` (RFC 9112, 9.3); `upgrade`
 * counts only beside an Upgrade field. Both numbers are of `head.known`.
 */
export function readConnection(head: FieldBlock, connection: number, upgrade: number): void {
  head.keepAlive = head.minor === 1;
  head.upgrade = false;
  const first = head.slot[connection]!;
  if (first < 0) return;
  const { bytes, fields, nameStart, nameEnd, valueStart, valueEnd } = head;
  let close = false;
  let keep = false;
  for (let i = first; i < fields; i++) {
    if (!is(bytes, nameStart[i]!, nameEnd[i]!, "connection")) continue;
    let at = valueStart[i]!;
    const end = valueEnd[i]!;
    while (at < end) {
      while (at < end && (bytes[at] === SP || bytes[at] === HT || bytes[at] === COMMA)) at++;
      const word = at;
      while (at < end && bytes[at] !== COMMA) at++;
      let last = at;
      while (last > word && (bytes[last - 1] === SP || bytes[last - 1] === HT)) last--;
      if (is(bytes, word, last, "close")) close = true;
      else if (is(bytes, word, last, "keep-alive")) keep = true;
      else if (is(bytes, word, last, "upgrade")) head.upgrade = true;
    }
  }
  head.keepAlive = !close && (head.minor === 1 || keep);
  if (head.slot[upgrade]! < 0) head.upgrade = false;
}
