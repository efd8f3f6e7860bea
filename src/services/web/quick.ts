/**
 * The quick path: from the bytes of a request head to an answer made ahead, without a string, an
 * object, a promise or a system call. It knows only what the full path has taught it, and gives
 * everything unusual back to it.
 */
import { equal, hash } from "../../core/byte-hash.ts";
import { SILENT, UNKNOWN, type ValueClasses } from "../../core/value-classes.ts";
import type { Prepared, Quick } from "../../net/quick.ts";
import type { Head } from "../../wire/http1/head.ts";
import { Slot } from "../../wire/http1/known-fields.ts";
import type { Baked, Resource } from "./resource.ts";

/** Targets remembered; a newcomer may take one of `WAYS` places, a dead one first. */
const PLACES = 8192;
const WAYS = 4;
/** Longer targets go the full path. */
const MAX_TARGET = 512;
/** Any of these means more than "send me the file". */
const UNUSUAL = [
  Slot.range,
  Slot.ifMatch,
  Slot.ifUnmodifiedSince,
  Slot.authorization,
  Slot.expect,
  Slot.upgrade,
  Slot.transferEncoding,
] as const;

interface Place {
  readonly target: Uint8Array;
  readonly hash: number;
  readonly resource: Resource;
  /** Until when the target leads to this resource; a `Clock` time. */
  readonly until: number;
}

export class QuickTable {
  readonly #classes: ValueClasses;
  readonly #places: (Place | undefined)[] = Array.from({ length: PLACES });
  #turn = 0;
  /** Answers given. */
  hits = 0;

  constructor(classes: ValueClasses) {
    this.#classes = classes;
  }

  readonly find: Quick = (head, now) => {
    if (!head.isGet && !head.isHead) return undefined;
    const { bytes, pathStart, slot, targetEnd } = head;
    for (let i = 0; i < UNUSUAL.length; i++) if (slot[UNUSUAL[i]!]! >= 0) return undefined;

    const place = this.#place(bytes, pathStart, targetEnd);
    if (place === undefined || now >= place.until) return undefined;
    const { resource } = place;
    if (!resource.alive || now >= resource.freshUntil) return undefined;

    let kind = SILENT;
    const coding = slot[Slot.acceptEncoding]!;
    if (coding >= 0) {
      kind = this.#classes.find(bytes, head.valueStart[coding]!, head.valueEnd[coding]!);
      if (kind === UNKNOWN) return undefined;
    }
    const baked = resource.baked[kind];
    if (baked === undefined) return undefined;
    const found = conditional(head, baked);
    if (found !== undefined) {
      resource.visited = true;
      this.hits++;
    }
    return found;
  };

  /** Answer requests for `target` (as sent, from the path on) so, until `until`. */
  remember(target: string, resource: Resource, until: number): void {
    if (!resource.alive || target.length > MAX_TARGET) return;
    const bytes = Buffer.from(target, "latin1");
    const code = hash(bytes, 0, bytes.length);
    let free = -1;
    for (let i = 0; i < WAYS; i++) {
      const at = (code + i) & (PLACES - 1);
      const place = this.#places[at];
      const same = place?.hash === code && equal(place.target, bytes, 0, bytes.length);
      if (same || (free < 0 && !place?.resource.alive)) free = at;
      if (same) break;
    }
    if (free < 0) free = (code + (this.#turn++ % WAYS)) & (PLACES - 1);
    this.#places[free] = { target: bytes, hash: code, resource, until };
  }

  #place(bytes: Uint8Array, from: number, to: number): Place | undefined {
    const code = hash(bytes, from, to);
    for (let i = 0; i < WAYS; i++) {
      const place = this.#places[(code + i) & (PLACES - 1)];
      if (place !== undefined && place.hash === code && equal(place.target, bytes, from, to))
        return place;
    }
    return undefined;
  }
}

/** The whole, or 304 when the validator is the one we gave. Any other validator is the full path's. */
function conditional(head: Head, baked: Baked): Prepared | undefined {
  const { bytes, slot, valueEnd, valueStart } = head;
  const none = slot[Slot.ifNoneMatch]!;
  if (none >= 0)
    return equal(baked.etag, bytes, valueStart[none]!, valueEnd[none]!)
      ? baked.unchanged
      : undefined;
  const since = slot[Slot.ifModifiedSince]!;
  if (since >= 0)
    return equal(baked.modified, bytes, valueStart[since]!, valueEnd[since]!)
      ? baked.unchanged
      : undefined;
  return baked.whole;
}
