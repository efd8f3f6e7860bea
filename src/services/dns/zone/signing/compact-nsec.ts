import { MAX_LABEL, MAX_NAME } from "../../../../wire/dns/name.ts";
import { typeBitmap } from "../../../../wire/dns/rdata/type-bitmap.ts";

/** The rdata of an NSEC that covers nothing but its own name (RFC 9824, 3): `owner` has these types. */
export function compactNsec(owner: Uint8Array, types: Iterable<number>): Uint8Array {
  const next = successor(owner);
  const bitmap = typeBitmap(types);
  const rdata = new Uint8Array(next.length + bitmap.length);
  rdata.set(next);
  rdata.set(bitmap, next.length);
  return rdata;
}

/**
 * The next name there could be in canonical order: `\000` in front of it. A name that has no room
 * for that is made longer in its first label or, when that is full, gives way to the next that is
 * not below it (RFC 4471, 3.1.2). `name` in lower case.
 */
export function successor(name: Uint8Array): Uint8Array {
  if (name.length + 2 <= MAX_NAME) return Uint8Array.of(1, 0, ...name);
  const length = name[0] as number;
  if (name.length === MAX_NAME || length === MAX_LABEL) return behind(name);
  return Uint8Array.of(
    length + 1,
    ...name.subarray(1, 1 + length),
    0,
    ...name.subarray(1 + length),
  );
}

/** The first name that is behind all there could be below `name`. */
function behind(name: Uint8Array): Uint8Array {
  const length = name[0] as number;
  const above = name.subarray(1 + length);
  const label = name.subarray(1, 1 + length);
  const last = label.findLastIndex((byte) => byte < 0xff);
  if (last < 0) return length === 0 ? name : behind(above);
  const next = (label[last] as number) + 1;
  // 0x41 to 0x5a compare as 0x61 to 0x7a do, which are behind all of 0x5b to 0x60.
  const byte = next === 0x41 ? 0x5b : next;
  return Uint8Array.of(last + 1, ...label.subarray(0, last), byte, ...above);
}
