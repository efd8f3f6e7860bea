import { readFileSync, readlinkSync } from "node:fs";

import { openLibc } from "./libc.ts";
import { pointer } from "./memory.ts";

const libc = openLibc({ madvise: { args: ["ptr", "usize", "i32"], returns: "i32" } });
const MADV_DONTNEED = 4;

/**
 * Give back the pages of our own executable that only starting needed: most of what a freshly
 * started process counts as resident. Clean file pages, so nothing is lost: what runs again is
 * mapped again from the page cache. Returns bytes of address space looked through; 0 without /proc.
 */
export function dropStartupPages(): number {
  let looked = 0;
  for (const { start, end } of executableMaps()) {
    if (libc.madvise(pointer(start), end - start, MADV_DONTNEED) === 0) looked += end - start;
  }
  return looked;
}

/**
 * Where the code of our executable is mapped (man 5 proc_pid_maps). Not its read-only data: part of
 * that was written by the dynamic linker and would be lost.
 */
function executableMaps(): { start: number; end: number }[] {
  try {
    const self = readlinkSync("/proc/self/exe");
    const lines = readFileSync("/proc/self/maps", "utf8").split("\n");
    return lines.flatMap((line) => {
      const [, from, to, path] =
        /^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ \d+\s+(.*)$/.exec(line) ?? [];
      if (path !== self || from === undefined || to === undefined) return [];
      return [{ start: Number.parseInt(from, 16), end: Number.parseInt(to, 16) }];
    });
  } catch {
    return [];
  }
}
