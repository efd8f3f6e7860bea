import type { TextReader } from "./text-reader.ts";

const WHAT = "an IPv6 address";
const COLON = 0x3a;
const DOT = 0x2e;
const groups = new Uint16Array(8);

/** The next word as an IPv6 address (RFC 4291, 2.2), without a walk through strings: zones have many. */
export function readIp6(reader: TextReader): void {
  const word = reader.next(WHAT);
  const { bytes } = reader.words;
  const start = reader.words.starts[word] as number;
  const end = reader.words.ends[word] as number;
  let count = 0;
  let gap = -1;
  let at = start;
  if (bytes[at] === COLON) {
    if (bytes[at + 1] !== COLON || at + 1 >= end) throw reader.wrong(WHAT);
    gap = 0;
    at += 2;
  }
  while (at < end) {
    const first = at;
    let value = 0;
    for (; at < end; at++) {
      const digit = hexDigit(bytes[at] as number);
      if (digit < 0) break;
      if (at - first > 3) throw reader.wrong(WHAT);
      value = (value << 4) | digit;
    }
    if (at < end && bytes[at] === DOT && count <= 6) {
      const low = readV4(bytes, first, end);
      if (low < 0) throw reader.wrong(WHAT);
      groups[count++] = low / 0x10000;
      groups[count++] = low & 0xffff;
      at = end;
      break;
    }
    if (at === first || count === 8) throw reader.wrong(WHAT);
    groups[count++] = value;
    if (at === end) break;
    if (bytes[at++] !== COLON || at === end) throw reader.wrong(WHAT);
    if (bytes[at] === COLON) {
      if (gap >= 0) throw reader.wrong(WHAT);
      gap = count;
      at++;
    }
  }
  if (gap < 0 ? count !== 8 : count > 7) throw reader.wrong(WHAT);

  const into = reader.grow(16);
  reader.out.fill(0, into, into + 16);
  for (let i = 0; i < count; i++) {
    const slot = into + 2 * (gap >= 0 && i >= gap ? 8 - count + i : i);
    reader.out[slot] = (groups[i] as number) >>> 8;
    reader.out[slot + 1] = groups[i] as number;
  }
}

function readV4(bytes: Uint8Array, from: number, end: number): number {
  let value = 0;
  let at = from;
  for (let i = 0; i < 4; i++) {
    if (i > 0 && bytes[at++] !== DOT) return -1;
    const first = at;
    let octet = 0;
    for (; at < end && at - first < 3; at++) {
      const digit = (bytes[at] as number) - 0x30;
      if (digit < 0 || digit > 9) break;
      octet = octet * 10 + digit;
    }
    if (at === first || octet > 255 || (at - first > 1 && bytes[first] === 0x30)) return -1;
    value = value * 256 + octet;
  }
  return at === end ? value : -1;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
