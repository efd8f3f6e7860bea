import { FLOWS, UNORDERED } from "./flow.ts";
import type { Memory } from "./memory.ts";
import { KIND } from "./plaintext.ts";

/**
 * What stands behind the bytes of a repaired plaintext, or of a part of one (big-endian):
 *
 *     0       1       2               4               6
 *     | kind  | flow and part | number in its flow    |
 *
 * The upper half byte of `flow and part` says which part it is, whether it waits for those before it, and whether
 * it is two: the end of one plaintext, then the beginning of the next of its flow, then where that begins (u16).
 */
export const TAIL = 6;

/** Which part of a plaintext: bits, so that one that is both first and last is whole. */
export const PART = { middle: 0, last: 1, first: 2, whole: 3 } as const;
const PART_SHIFT = 12;
const UNORDERED_BIT = 0x4000;
const JOINT_BIT = 0x8000;
/** Behind two parts in one: where the second begins. */
export const BOUNDARY = 2;
/** In place of flow and part: what UDT has to say itself. */
export const CONTROL = 0xffff;

/** Numbers of a flow have 24 bits. */
export const NUMBERS = 2 ** 24;

/** One part of a plaintext. `flow`: below FLOWS, or UNORDERED. */
export interface Fragment {
  flow: number;
  /** Of two: is the first one the beginning of its plaintext (first), the second one the end of its own (last)? */
  part: number;
  number: number;
  joint: boolean;
}

/** How far `a` is ahead of `b`, both numbers of a flow; negative: behind it. */
export function ahead(a: number, b: number): number {
  return ((a - b) << 8) >> 8;
}

/** Write the tail of `fragment` to `at`. */
export function emitTail(
  { bytes, view }: Memory,
  at: number,
  { flow, part, number, joint }: Fragment,
): void {
  const place = (flow === UNORDERED ? UNORDERED_BIT : flow) | (joint ? JOINT_BIT : 0);
  view.setUint32(at, ((KIND.repaired << 24) | ((place | (part << PART_SHIFT)) << 8)) >>> 0);
  bytes[at + 3] = number >>> 16;
  view.setUint16(at + 4, number & 0xffff);
}

/** Read the tail at `at` into `fragment`. False: it is none. */
export function parseTail({ bytes, view }: Memory, at: number, fragment: Fragment): boolean {
  const place = view.getUint16(at + 1);
  if (bytes[at] !== KIND.repaired) return false;
  const unordered = (place & UNORDERED_BIT) !== 0;
  fragment.joint = (place & JOINT_BIT) !== 0;
  fragment.flow = unordered ? UNORDERED : place & (FLOWS - 1);
  fragment.part = (place >>> PART_SHIFT) & PART.whole;
  fragment.number = ((bytes[at + 3] as number) << 16) | view.getUint16(at + 4);
  const whole = (place & (FLOWS - 1)) === 0 && fragment.part === PART.whole && !fragment.joint;
  return !unordered || whole;
}

/** The part that the tail at `at` says. */
export function partAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 1] as number) >>> 4) & PART.whole;
}

/** Does the tail at `at` say that there are two? */
export function isJoint(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at + 1] as number) & (JOINT_BIT >>> 8)) !== 0;
}

/** For logs: `flow 17, number 4: first`. */
export function showTail({ flow, part, number, joint }: Fragment): string {
  const which = (["middle", "last", "first", "whole"][part] ?? "") + (joint ? ", two" : "");
  return flow === UNORDERED ? `in no order: ${which}` : `flow ${flow}, number ${number}: ${which}`;
}
