import { closeSync, fstatSync, readSync } from "node:fs";

import { factsOf } from "./disk.ts";
import type { Facts, Opened } from "./origin.ts";

export interface Loaded {
  readonly facts: Facts;
  /** The whole file, when it is small. */
  readonly bytes: Uint8Array | undefined;
  /** The open file, when it is not; else -1. */
  readonly fd: number;
}

/** A file written to while it is read is read again, so often; then it is taken as it came. */
const ATTEMPTS = 3;

/** Read an opened file into memory, and close it, when it has at most `small` bytes. */
export function load(opened: Opened, small: number): Loaded {
  if (opened.kind === "bytes") return { facts: opened, bytes: opened.bytes, fd: -1 };
  const { fd } = opened;
  if (opened.size > small) return { facts: opened, bytes: undefined, fd };
  try {
    let facts: Facts = opened;
    for (let attempt = 1; ; attempt++) {
      const bytes = readWhole(fd, facts.size);
      const after = factsOf(fstatSync(fd));
      const settled = after.identity === facts.identity && bytes.length === facts.size;
      if (settled || attempt === ATTEMPTS || after.size > small)
        return { facts: { ...facts, size: bytes.length }, bytes, fd: -1 };
      facts = after;
    }
  } finally {
    closeSync(fd);
  }
}

/** Up to `size` bytes from the beginning; fewer when the file ends before. */
function readWhole(fd: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const n = readSync(fd, bytes, at, size - at, at);
    if (n === 0) break;
    at += n;
  }
  return at === size ? bytes : bytes.subarray(0, at);
}
