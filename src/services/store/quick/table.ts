/**
 * The quick path: small files that were found and verified a moment ago, sent again without looking
 * for them, as long as no process of this machine has begun to change their names since.
 */
import { TargetTable } from "../../../core/target-table.ts";
import { Made } from "../../../net/http1/made.ts";
import type { Prepared, Quick } from "../../../net/quick.ts";
import type { HttpRequest, HttpResponse } from "../../../wire/http/message.ts";
import type { Head } from "../../../wire/http1/head.ts";
import { Slot } from "../../../wire/http1/known-fields.ts";
import { wantsMore } from "../../../wire/http1/wants-more.ts";
import type { Changes } from "../changes.ts";

/** Then it is looked for again: somebody may have changed the members behind our back. Milliseconds. */
const GOOD_MS = 1000;
/** Targets remembered. */
const PLACES = 4096;
/** Longer targets, and larger bodies, go the full path. Bytes. */
const MAX_TARGET = 512;
const MAX_BODY = 64 * 1024;
/** What all of them may take. Bytes. */
const MAX_BYTES = 16 * 2 ** 20;
/** A moment of a name: what is found after it is the newest until its count goes on. */
export interface Moment {
  readonly place: number;
  readonly count: number;
}

interface Place extends Moment {
  readonly made: Made;
  /** A `Clock`'s time. */
  readonly until: number;
}

export class QuickTable {
  readonly #changes: Changes;
  readonly #now: () => number;
  readonly #places = new TargetTable<Place>(PLACES);
  #bytes = 0;

  /** `now`: a `Clock`'s. */
  constructor(changes: Changes, now: () => number) {
    this.#changes = changes;
    this.#now = now;
  }

  readonly find: Quick = (head, now): Prepared | undefined => {
    if (!head.isGet && !head.isHead) return undefined;
    if (wantsMore(head) || isConditional(head)) return undefined;
    const one = this.#places.find(head.bytes, head.pathStart, head.targetEnd);
    if (one === undefined || now >= one.until) return undefined;
    return this.#changes.at(one.place) === one.count ? one.made : undefined;
  };

  /** Take it before a file is looked for. */
  moment(key: string): Moment {
    const place = this.#changes.placeOf(key);
    return { place, count: this.#changes.at(place) };
  }

  /** `response` is what `request` gets, as it was found after `moment`. */
  learn(request: HttpRequest, response: HttpResponse, moment: Moment): void {
    const { method, target } = request;
    const { body, status } = response;
    if (method !== "GET" || status !== 200 || body.kind !== "pieces") return;
    const [piece, ...others] = body.pieces;
    if (!(piece instanceof Uint8Array) || others.length > 0 || piece.length > MAX_BODY) return;
    if (!target.startsWith("/") || target.length > MAX_TARGET) return;
    const made = new Made(response, { kind: "length", length: piece.length }, piece);
    this.#remember(Buffer.from(target, "latin1"), made, moment);
  }

  #remember(target: Uint8Array, made: Made, moment: Moment): void {
    const now = this.#now();
    // They last a second: to begin again costs less than to know who was asked for last.
    if (this.#bytes + made.size > MAX_BYTES) {
      this.#places.clear();
      this.#bytes = 0;
    }
    const place: Place = { ...moment, made, until: now + GOOD_MS };
    const before = this.#places.put(target, place, ({ until }) => now >= until);
    this.#bytes += made.size - (before?.made.size ?? 0);
  }
}

/** What a client has already is not known here. */
function isConditional({ slot }: Head): boolean {
  return (slot[Slot.ifNoneMatch] ?? -1) >= 0 || (slot[Slot.ifModifiedSince] ?? -1) >= 0;
}
