/**
 * The quick path: from the bytes of a request head to an answer made ahead, without a string, an
 * object, a promise or a system call. It knows only what the full path has taught it, and gives
 * everything unusual back to it.
 */
import { equal } from "../../core/byte-hash.ts";
import { TargetTable } from "../../core/target-table.ts";
import { SILENT, UNKNOWN, type ValueClasses } from "../../core/value-classes.ts";
import type { Prepared, Quick } from "../../net/quick.ts";
import type { Head } from "../../wire/http1/head.ts";
import { Slot } from "../../wire/http1/known-fields.ts";
import { wantsMore } from "../../wire/http1/wants-more.ts";
import type { Baked, Resource } from "./resource.ts";

/** Targets remembered. */
const PLACES = 8192;
/** Longer targets go the full path. */
const MAX_TARGET = 512;
interface Place {
  readonly resource: Resource;
  /** Until when the target leads to this resource; a `Clock` time. */
  readonly until: number;
}

export class QuickTable {
  readonly #classes: ValueClasses;
  readonly #places = new TargetTable<Place>(PLACES);
  /** Answers given. */
  hits = 0;

  constructor(classes: ValueClasses) {
    this.#classes = classes;
  }

  readonly find: Quick = (head, now) => {
    if (!head.isGet && !head.isHead) return undefined;
    const { bytes, pathStart, slot, targetEnd } = head;
    if (wantsMore(head)) return undefined;

    const place = this.#places.find(bytes, pathStart, targetEnd);
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
    this.#places.put(Buffer.from(target, "latin1"), { resource, until }, isSpent);
  }
}

function isSpent({ resource }: Place): boolean {
  return !resource.alive;
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
