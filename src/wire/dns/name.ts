/**
 * Domain names. Inside they are *wire names*: labels, each behind its length, and the root's empty
 * label (RFC 1035, 3.1). Case is kept and never matters (RFC 4343); a length is at most 63 and so is
 * never mistaken for a letter, which lets a whole name be lower-cased byte by byte.
 */

/** Longest name, its lengths and the root included (RFC 1035, 2.3.4). */
export const MAX_NAME = 255;
export const MAX_LABEL = 63;
/** Labels in the longest name, without the root. */
export const MAX_LABELS = 127;
/** The name of the root, `.`. */
export const ROOT: Uint8Array = Uint8Array.of(0);

/** Every byte as it compares: A to Z are a to z. */
export const LOWER: Uint8Array = Uint8Array.from({ length: 256 }, (_, c) =>
  c >= 0x41 && c <= 0x5a ? c + 0x20 : c,
);

const DOT = 0x2e;
const BACKSLASH = 0x5c;
/** Printed with a backslash in front: `"`, `$`, `(`, `)`, `.`, `;`, `@`, `\`. */
const SPECIAL = new Set([0x22, 0x24, 0x28, 0x29, 0x2e, 0x3b, 0x40, 0x5c]);

const utf8 = new TextEncoder();
const packed = new Uint8Array(MAX_NAME);

/**
 * A name as people write it, with `\.` and `\065` (RFC 1035, 5.1). With an `origin`, a name that
 * does not end in a dot stands below it and `@` is it; without one every name is whole.
 */
export function parseName(text: string, origin?: Uint8Array): Uint8Array | undefined {
  const bytes = utf8.encode(text);
  const end = packName(bytes, 0, bytes.length, origin ?? ROOT, packed, 0);
  if (end < 0 || (origin === undefined && text === "@")) return undefined;
  return packed.slice(0, end);
}

/** `parseName` on the bytes between `from` and `to`: writes the name into `out`, and where it ends; -1 for no name. */
export function packName(
  bytes: Uint8Array,
  from: number,
  to: number,
  origin: Uint8Array,
  out: Uint8Array,
  at: number,
): number {
  const limit = Math.min(out.length, at + MAX_NAME);
  const length = to - from;
  if (length === 1 && bytes[from] === 0x40) return append(origin, out, at, limit);
  if (length === 1 && bytes[from] === DOT) return append(ROOT, out, at, limit);
  if (length <= 0) return -1;

  let head = at;
  let end = at + 1;
  for (let i = from; i < to; i++) {
    let byte = bytes[i] as number;
    if (byte === DOT) {
      if (end === head + 1 || end >= limit) return -1;
      out[head] = end - head - 1;
      head = end++;
      continue;
    }
    if (byte === BACKSLASH) {
      byte = unescape(bytes, i, to);
      if (byte < 0) return -1;
      i += byte >= 256 ? 3 : 1;
    }
    if (end >= limit || end - head > MAX_LABEL) return -1;
    out[end++] = byte;
  }
  if (end === head + 1) {
    out[head] = 0; // it ended in a dot
    return end;
  }
  out[head] = end - head - 1;
  return append(origin, out, end, limit);
}

function append(origin: Uint8Array, out: Uint8Array, at: number, limit: number): number {
  if (at + origin.length > limit) return -1;
  out.set(origin, at);
  return at + origin.length;
}

/**
 * The byte that an escape stands for, the backslash at `at`: `\X` is X, and `\DDD` is the byte DDD
 * plus 256, so that the caller knows how far to go. -1 when it is no escape.
 */
export function unescape(bytes: Uint8Array, at: number, to: number): number {
  if (at + 1 >= to) return -1;
  const hundreds = (bytes[at + 1] as number) - 0x30;
  if (hundreds < 0 || hundreds > 9) return bytes[at + 1] as number;
  if (at + 3 >= to) return -1;
  const tens = (bytes[at + 2] as number) - 0x30;
  const ones = (bytes[at + 3] as number) - 0x30;
  if (tens < 0 || tens > 9 || ones < 0 || ones > 9) return -1;
  const value = hundreds * 100 + tens * 10 + ones;
  return value > 255 ? -1 : value + 256;
}

/** A wire name as people write it, with the dot at its end: what `parseName` reads back. */
export function showName(wire: Uint8Array): string {
  if (wire.length <= 1) return ".";
  let text = "";
  let at = 0;
  for (let length = wire[0] ?? 0; length > 0; length = wire[at] ?? 0) {
    for (const byte of wire.subarray(at + 1, at + 1 + length)) text += showByte(byte);
    text += ".";
    at += length + 1;
  }
  return text;
}

function showByte(byte: number): string {
  if (byte <= 0x20 || byte >= 0x7f) return `\\${String(byte).padStart(3, "0")}`;
  const char = String.fromCharCode(byte);
  return SPECIAL.has(byte) ? `\\${char}` : char;
}

/** The same name in lower case. */
export function lower(wire: Uint8Array): Uint8Array {
  return wire.map((byte) => LOWER[byte] as number);
}

/** The lower-cased name as a string of its bytes: a key for a Map. */
export function nameKey(wire: Uint8Array): string {
  let key = "";
  for (const byte of wire) key += String.fromCharCode(LOWER[byte] as number);
  return key;
}

/**
 * The name at `at` of a message that ends at `to`, its pointers followed (RFC 1035, 4.1.4), and
 * where reading goes on. A pointer leads only to bytes in front of the name it is part of, so
 * there is an end to it. `start` is where the message begins in `message`.
 */
export function readName(
  message: Uint8Array,
  at: number,
  to: number = message.length,
  start = 0,
): { name: Uint8Array; next: number } | undefined {
  const name = new Uint8Array(MAX_NAME);
  let length = 0;
  let next = -1;
  let floor = at;
  for (;;) {
    if (at >= to) return undefined;
    const head = message[at] as number;
    if (head >= 0xc0) {
      if (at + 1 >= to) return undefined;
      if (next < 0) next = at + 2;
      at = start + (((head & 0x3f) << 8) | (message[at + 1] as number));
      if (at >= floor) return undefined;
      floor = at;
      continue;
    }
    if (head > MAX_LABEL || at + 1 + head > to || length + 1 + head > MAX_NAME) return undefined;
    name.set(message.subarray(at, at + 1 + head), length);
    length += 1 + head;
    at += 1 + head;
    if (head === 0) return { name: name.slice(0, length), next: next < 0 ? at : next };
  }
}

/** Where the name at `at` ends, its pointers not followed; -1 when it does not by `to`. */
export function skipName(message: Uint8Array, at: number, to: number): number {
  for (let length = 0; at < to;) {
    const head = message[at] as number;
    if (head >= 0xc0) return at + 2 <= to ? at + 2 : -1;
    length += head + 1;
    at += head + 1;
    if (head > MAX_LABEL || length > MAX_NAME || at > to) return -1;
    if (head === 0) return at;
  }
  return -1;
}

/** The length of the whole, uncompressed name at `at`; -1 when there is none by `to`. */
export function nameLength(bytes: Uint8Array, at: number, to: number): number {
  let i = at;
  while (i < to) {
    const head = bytes[i] as number;
    i += head + 1;
    if (head > MAX_LABEL || i > to || i - at > MAX_NAME) return -1;
    if (head === 0) return i - at;
  }
  return -1;
}

/** Labels, the root not counted: 2 for `example.net.`. */
export function labelCount(wire: Uint8Array): number {
  let count = 0;
  for (let at = 0, head = wire[0] ?? 0; head > 0; head = wire[at] ?? 0) {
    count++;
    at += head + 1;
  }
  return count;
}

/** Whether two names are one, whatever their case. */
export function sameName(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && sameBytes(a, 0, b);
}

/** Whether `name` is `zone` or below it. */
export function isUnder(name: Uint8Array, zone: Uint8Array): boolean {
  const cut = name.length - zone.length;
  let at = 0;
  while (at < cut) at += (name[at] as number) + 1;
  return at === cut && sameBytes(name, cut, zone);
}

function sameBytes(a: Uint8Array, from: number, b: Uint8Array): boolean {
  for (let i = 0; i < b.length; i++)
    if (LOWER[a[from + i] as number] !== LOWER[b[i] as number]) return false;
  return true;
}

const leftLabels = new Uint8Array(MAX_LABELS + 1);
const rightLabels = new Uint8Array(MAX_LABELS + 1);

/** The order of RFC 4034, 6.1: by labels from the right, each as lower-cased bytes. Below, 0 or above 0. */
export function compareCanonical(a: Uint8Array, b: Uint8Array): number {
  let left = findLabels(a, leftLabels);
  let right = findLabels(b, rightLabels);
  while (left > 0 && right > 0) {
    const i = leftLabels[--left] as number;
    const j = rightLabels[--right] as number;
    const m = a[i] as number;
    const n = b[j] as number;
    const common = Math.min(m, n);
    for (let k = 1; k <= common; k++) {
      const order = (LOWER[a[i + k] as number] as number) - (LOWER[b[j + k] as number] as number);
      if (order !== 0) return order;
    }
    if (m !== n) return m - n;
  }
  return left - right;
}

/** Where each label begins, the root not counted; how many there are. */
export function findLabels(wire: Uint8Array, into: Uint8Array): number {
  let count = 0;
  for (let at = 0, head = wire[0] ?? 0; head > 0; head = wire[at] ?? 0) {
    into[count++] = at;
    at += head + 1;
  }
  return count;
}

const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * A 32-bit hash of the name, whatever its case: FNV-1a over its bytes from the last to the first,
 * so that one walk passes the hashes of all the names above it. `Query.hashes` holds the same.
 */
export function hashName(wire: Uint8Array, seed = 0): number {
  let state = hashStart(seed);
  for (let i = wire.length - 1; i >= 0; i--)
    state = hashByte(state, LOWER[wire[i] as number] as number);
  return hashEnd(state);
}

export function hashStart(seed: number): number {
  return FNV_BASIS ^ seed;
}

export function hashByte(state: number, byte: number): number {
  return Math.imul(state ^ byte, FNV_PRIME);
}

/** FNV's low bits see only low bits; a table's index wants all of them. */
export function hashEnd(state: number): number {
  const mixed = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
