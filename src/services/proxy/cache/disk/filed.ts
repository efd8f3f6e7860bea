import { readSync } from "node:fs";
import { crc32 } from "node:zlib";

import type { BodyFacts } from "./record.ts";

/** What a file was when all of it was looked at. */
export interface Filed {
  readonly path: string;
  /** In the cache's directory. */
  readonly name: string;
  /** CRC-32 of its note. */
  readonly note: number;
  readonly body: BodyFacts;
}

/** A body that may be read again, and what goes before it. */
const MOST_LENGTH = 64 * 1024;
const MOST_BEFORE = 16 * 1024;

/** All of a file, in turn; and whose it is. */
const SCRATCH = Buffer.alloc(MOST_BEFORE + MOST_LENGTH);
let there: Filed | undefined;

/** Small enough to be read again with one call? */
export function isShort({ at, length }: BodyFacts): boolean {
  return at <= MOST_BEFORE && length <= MOST_LENGTH;
}

/**
 * Read a short file again, which is open: true when it is what it was, to the last bit of its body.
 * One that was put in its place, renewed, cut or spoilt is not. Throws node:fs's errors.
 */
export function reread(filed: Filed, fd: number): boolean {
  const { note, body } = filed;
  const { at, crc, length } = body;
  there = undefined;
  if (readSync(fd, SCRATCH, 0, at + length, 0) !== at + length) return false;
  // As record.ts has it.
  const same =
    SCRATCH.readUInt32LE(12) === note &&
    SCRATCH.readUInt32LE(16) === length &&
    SCRATCH.readUInt32LE(20) === 0 &&
    SCRATCH.readUInt32LE(24) === crc &&
    SCRATCH.readUInt32LE(28) === at;
  if (!same || crc32(SCRATCH.subarray(at, at + length)) !== crc) return false;
  there = filed;
  return true;
}

/** Copy bytes [from, to) of the body of what was read again last to `into`, from `start` on. */
export function copyReread(
  filed: Filed,
  from: number,
  to: number,
  into: Uint8Array,
  start: number,
): void {
  if (there !== filed) throw new Error("another file was read since");
  const { at } = filed.body;
  SCRATCH.copy(into, start, at + from, at + to);
}
