/** Bytes and their classes, as the grammar of HTTP/1.x names them (RFC 9110, 5.6; RFC 9112). */
export const CR = 13;
export const LF = 10;
export const SP = 32;
export const HT = 9;
export const COLON = 58;
export const COMMA = 44;

/** 1 for bytes of a token (RFC 9110, 5.6.2). */
export const TOKEN = table("!#$%&'*+-.^_`|~0123456789");
/** 1 for field-vchar, obs-text, SP and HTAB (RFC 9110, 5.5). */
export const VALUE = Uint8Array.from({ length: 256 }, (_, c) =>
  Number((c >= 0x20 && c !== 0x7f) || c === HT),
);

/** 1 for ASCII letters and the characters of `extra`, 0 for every other byte. */
export function table(extra: string): Uint8Array {
  const t = new Uint8Array(256);
  for (const c of extra) t[c.charCodeAt(0)] = 1;
  for (let c = 65; c <= 90; c++) t[c] = t[c | 0x20] = 1;
  return t;
}

/** 1*DIGIT without a leading zero, up to 2^53; -1 for anything else. */
export function decimal(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 1 || to - from > 15) return -1;
  if (bytes[from] === 48 && to - from > 1) return -1;
  let n = 0;
  for (let i = from; i < to; i++) {
    const d = bytes[i]! - 48;
    if (d < 0 || d > 9) return -1;
    n = n * 10 + d;
  }
  return n;
}

/** Are `bytes[from, to)` this text? Case-insensitive; `text` is lower case. */
export function is(bytes: Uint8Array, from: number, to: number, text: string): boolean {
  if (to - from !== text.length) return false;
  for (let i = 0; i < text.length; i++) {
    const c = bytes[from + i]!;
    if ((c >= 65 && c <= 90 ? c | 0x20 : c) !== text.charCodeAt(i)) return false;
  }
  return true;
}

/** `bytes[start, end)` as a string, each byte a character. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return latin1Slice.call(bytes, start, end);
}

/** It takes any Uint8Array, and a tenth of the time of putting characters together. */
const { latin1Slice } = Buffer.prototype as unknown as {
  latin1Slice: (this: Uint8Array, start: number, end: number) => string;
};
