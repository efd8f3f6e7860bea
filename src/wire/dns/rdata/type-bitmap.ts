/** The types at a name, as NSEC, NSEC3 and CSYNC list them: windows of 256 bits (RFC 4034, 4.1.2). */
import { showType } from "../types.ts";
import type { TextReader } from "./text-reader.ts";

const WINDOW_BYTES = 32;

/** The bitmap of `types`, in any order. */
export function typeBitmap(types: Iterable<number>): Uint8Array {
  const windows = new Map<number, Uint8Array>();
  for (const type of types) {
    const window = type >>> 8;
    const bits = windows.get(window) ?? new Uint8Array(WINDOW_BYTES);
    windows.set(window, bits);
    const byte = (type & 0xff) >>> 3;
    bits[byte] = (bits[byte] ?? 0) | (0x80 >>> (type & 7));
  }
  const ordered = [...windows].sort(([a], [b]) => a - b);
  return Uint8Array.from(
    ordered.flatMap(([window, bits]) => {
      const length = bits.findLastIndex((byte) => byte !== 0) + 1;
      return [window, length, ...bits.subarray(0, length)];
    }),
  );
}

/** The words that are left, each a type. */
export function readTypes(reader: TextReader): void {
  const types: number[] = [];
  while (reader.more) types.push(reader.readType());
  reader.putBytes(typeBitmap(types));
}

/** Whether the windows ascend, none is empty and none ends in zeros. */
export function isTypeBitmap(rdata: Uint8Array, at: number, to: number): boolean {
  let last = -1;
  while (at < to) {
    const window = rdata[at] as number;
    const length = at + 1 < to ? (rdata[at + 1] as number) : 0;
    if (window <= last || length === 0 || length > WINDOW_BYTES || at + 2 + length > to)
      return false;
    if (rdata[at + 1 + length] === 0) return false;
    last = window;
    at += 2 + length;
  }
  return true;
}

/** The types in a bitmap that has been checked, ascending. */
function typesIn(rdata: Uint8Array, at: number, to: number): number[] {
  const types: number[] = [];
  while (at < to) {
    const length = rdata[at + 1] as number;
    for (let i = 0; i < length * 8; i++)
      if ((rdata[at + 2 + (i >>> 3)] as number) & (0x80 >>> (i & 7)))
        types.push((rdata[at] as number) * 256 + i);
    at += 2 + length;
  }
  return types;
}

/** `A NS SOA TYPE65280`. */
export function showTypes(rdata: Uint8Array, at: number, to: number): string {
  return typesIn(rdata, at, to).map(showType).join(" ");
}
