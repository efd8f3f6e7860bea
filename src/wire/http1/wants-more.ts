import type { Head } from "./head.ts";
import { Slot } from "./known-fields.ts";

const MORE = [
  Slot.range,
  Slot.ifMatch,
  Slot.ifUnmodifiedSince,
  Slot.authorization,
  Slot.expect,
  Slot.upgrade,
  Slot.transferEncoding,
] as const;

/**
 * Is there a field in it that means more than "send me that, unless I have it" (If-None-Match,
 * If-Modified-Since)? Such a request is not for answers made ahead.
 */
export function wantsMore({ slot }: Pick<Head, "slot">): boolean {
  for (let i = 0; i < MORE.length; i++) if (slot[MORE[i]!]! >= 0) return true; // each slot is there
  return false;
}
