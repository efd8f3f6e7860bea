import { FLOWS, UNORDERED } from "./flow.ts";
import type { Memory } from "./memory.ts";
import { KIND } from "./plaintext.ts";

/**
 * What stands behind the bytes of a repaired plaintext, or of a part of one (big-endian):
 *
 *     0       1       2               4               6
 *     | kind  | flow and part | number in its flow    |
 *
 * The upper half byte of `flow and part` says which part it is, and whether it waits for those before it.
 */
export const TAIL = 6;

/** Which part of a plaintext: bits, so that one that is both first and last is whole. */
export const PART = { middle: 0, last: 1, first: 2, whole: 3 } as const;
const PART_SHIFT = 12;
const UNORDERED_BIT = 0x4000;
/** In place of flow and part: what UDT has to say itself. */
export const CONTROL = 0xffff;

/** Numbers of a flow have 24 bits. */
export const NUMBERS = 2 ** 24;

/** One part of a plaintext. `flow`: below FLOWS, or UNORDERED. */
export interface Fragment {
  flow: number;
  part: number;
  number: number;
}

/** How far `a` is ahead of `b`, both numbers of a flow; negative: behind it. */
export function ahead(a: number, b: number): number {
  return ((a - b) << 8) >> 8;
}

/** Write the tail of `fragment` to `at`. */
export function emitTail(
  { bytes, view }: Memory,
  at: number,
  { flow, part, number }: Fragment,
): void {
  const place = flow === UNORDERED ? UNORDERED_BIT : flow;
  view.setUint32(at, ((KIND.repaired << 24) | ((place | (part << PART_SHIFT)) << 8)) >>> 0);
  bytes[at + 3] = number >>> 16;
  view.setUint16(at + 4, number & 0xffff);
}

/** Read the tail at `at` into `fragment`. False: it is none. */
export function parseTail({ bytes, view }: Memory, at: number, fragment: Fragment): boolean {
  const place = view.getUint16(at + 1);
  if (bytes[at] !== KIND.repaired || (place & 0x8000) !== 0) return false;
  const unordered = (place & UNORDERED_BIT) !== 0;
  fragment.flow = unordered ? UNORDERED : place & (FLOWS - 1);
  fragment.part = (place >>> PART_SHIFT) & PART.whole;
  fragment.number = ((bytes[at + 3] as number) << 16) | view.getUint16(at + 4);
  return !unordered || ((place & (FLOWS - 1)) === 0 && fragment.part === PART.whole);
}

/** The part that the tail at `at` says. */
export function partAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 1] as number) >>> 4) & PART.whole;
}

/** For logs: `flow 17, number 4: first`. */
export function showTail({ flow, part, number }: Fragment): string {
  const which = ["middle", "last", "first", "whole"][part] ?? "";
  return flow === UNORDERED ? `in no order: ${which}` : `flow ${flow}, number ${number}: ${which}`;
}
