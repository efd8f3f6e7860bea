/** Types and classes by the bytes of their names, without making a string of them. */
import { CLASS, parseClass, parseType, TYPE } from "./types.ts";

/** Letters, digits and the hyphen, and nothing: ten of them fit the 53 bits of a number. */
const BASE = 38;
const LONGEST = 10;

const DIGIT = new Uint8Array(256);
for (const [i, char] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"].entries()) {
  DIGIT[char.charCodeAt(0)] = i + 1;
  DIGIT[char.toLowerCase().charCodeAt(0)] = i + 1;
}

const types = packedKeys(TYPE);
const classes = packedKeys(CLASS);

/** The type between `from` and `to`, `TYPEn` included; -1 for none. */
export function typeAt(bytes: Uint8Array, from: number, to: number): number {
  return types.get(pack(bytes, from, to)) ?? parseType(latin1(bytes, from, to)) ?? -1;
}

/** The class between `from` and `to`, `CLASSn` included; -1 for none. */
export function classAt(bytes: Uint8Array, from: number, to: number): number {
  const known = classes.get(pack(bytes, from, to));
  if (known !== undefined) return known;
  return to - from > 5 ? (parseClass(latin1(bytes, from, to)) ?? -1) : -1;
}

function pack(bytes: Uint8Array, from: number, to: number): number {
  if (to - from > LONGEST) return -1;
  let packed = 0;
  for (let i = from; i < to; i++) {
    const digit = DIGIT[bytes[i] as number] as number;
    if (digit === 0) return -1;
    packed = packed * BASE + digit;
  }
  return packed;
}

function packedKeys(numbers: Readonly<Record<string, number>>): ReadonlyMap<number, number> {
  const utf8 = new TextEncoder();
  return new Map(
    Object.entries(numbers).map(([name, number]) => [
      pack(utf8.encode(name), 0, name.length),
      number,
    ]),
  );
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Array.from(bytes.subarray(from, to), (byte) => String.fromCharCode(byte)).join("");
}
