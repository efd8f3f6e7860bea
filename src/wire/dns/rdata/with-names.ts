import { MAX_NAME } from "../name.ts";
import { fieldEnd } from "./check.ts";
import type { Field } from "./layout.ts";

/** No layout has more names in it. */
const MOST_NAMES = 3;

/** A name found in rdata: its bytes as they are to be, and where it ended. */
export interface NameFound {
  readonly name: Uint8Array;
  readonly next: number;
}

/**
 * The rdata between `start` and `end` of `bytes`, every name in it as `read` gives it, all else as
 * it is; undefined when it does not fit the layout, or `read` finds no name where there is to be one.
 */
export function withNames(
  layout: readonly Field[],
  bytes: Uint8Array,
  start: number,
  end: number,
  read: (bytes: Uint8Array, at: number, end: number) => NameFound | undefined,
): Uint8Array | undefined {
  const made = new Uint8Array(end - start + MOST_NAMES * MAX_NAME);
  let length = 0;
  let at = start;
  for (const field of layout) {
    const found = field === "name" ? read(bytes, at, end) : undefined;
    const next = field === "name" ? (found?.next ?? -1) : fieldEnd(field, bytes, at, end);
    if (next < 0) return undefined;
    const part = found?.name ?? bytes.subarray(at, next);
    made.set(part, length);
    length += part.length;
    at = next;
  }
  return at === end ? made.slice(0, length) : undefined;
}
