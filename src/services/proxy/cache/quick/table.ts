/**
 * The quick path: from the bytes of a request head to a stored response made ahead, without a
 * string, an object or a promise. It knows only what the full path has taught it, and gives
 * everything unusual back to it.
 */
import { hash } from "../../../../core/byte-hash.ts";
import { MOST_VISITS } from "../../../../core/s3-fifo.ts";
import { SILENT, UNKNOWN, ValueClasses } from "../../../../core/value-classes.ts";
import type { Prepared, Quick } from "../../../../net/quick.ts";
import { acceptedCodings } from "../../../../wire/http/caching/vary.ts";
import type { HttpRequest, HttpResponse } from "../../../../wire/http/message.ts";
import type { Head } from "../../../../wire/http1/head.ts";
import { Slot } from "../../../../wire/http1/known-fields.ts";
import type { Entry } from "../entry.ts";
import { Baked } from "./bake.ts";

/** A newcomer may take one of so many places, a dead one first. */
const WAYS = 4;
/** Longer ones go the full path. */
const MAX_TEXT = 1024;
/** Any of these means more than "send me that page". */
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
  readonly hash: number;
  /** Host field and target as they are sent. */
  readonly text: string;
  /** By class of Accept-Encoding; one for all when the response does not vary. */
  readonly entries: (Entry | undefined)[];
  readonly varies: boolean;
}

export interface TableParts {
  /** A `Clock`'s time, and milliseconds since 1970. */
  readonly now: () => number;
  readonly wall: () => number;
  /** An entry takes more memory than it did. */
  readonly grown: (entry: Entry) => void;
}

export class QuickTable {
  readonly #parts: TableParts;
  readonly #places: (Place | undefined)[];
  readonly #mask: number;
  readonly #codings = new ValueClasses((value) => acceptedCodings(value).join());
  #turn = 0;
  /** Answers given. */
  hits = 0;

  /** `places`: a power of two. */
  constructor(places: number, parts: TableParts) {
    this.#parts = parts;
    this.#places = Array.from({ length: places });
    this.#mask = places - 1;
  }

  readonly find: Quick = (head, now) => {
    if (head.form !== "origin" || (!head.isGet && !head.isHead)) return undefined;
    const { slot } = head;
    const host = slot[Slot.host]!;
    if (host < 0) return undefined;
    for (let i = 0; i < UNUSUAL.length; i++) if (slot[UNUSUAL[i]!]! >= 0) return undefined;

    const place = this.#place(head, head.valueStart[host]!, head.valueEnd[host]!);
    if (place === undefined) return undefined;
    let kind = SILENT;
    const coding = slot[Slot.acceptEncoding]!;
    if (place.varies && coding >= 0) {
      kind = this.#codings.find(head.bytes, head.valueStart[coding]!, head.valueEnd[coding]!);
      if (kind === UNKNOWN) return undefined;
    }
    const entry = place.entries[kind];
    const baked = entry?.baked;
    if (entry === undefined || baked === undefined || !entry.alive || now >= baked.until)
      return undefined;
    const found = conditional(head, baked);
    if (found !== undefined) {
      if (entry.visits < MOST_VISITS) entry.visits++;
      this.hits++;
    }
    return found;
  };

  /** `entry` has answered `request`, and may do so again as long as it is fresh. */
  learn(
    request: HttpRequest,
    entry: Entry,
    finish: (response: HttpResponse) => HttpResponse,
  ): void {
    const { headers, protocol, target } = request;
    const [field] = entry.names;
    const varies = field !== undefined;
    if (varies && (entry.names.length > 1 || field !== "accept-encoding")) return;
    if (!protocol.startsWith("HTTP/1") || !target.startsWith("/") || !entry.alive) return;
    if (headers.has("range") || headers.has("authorization")) return;
    const text = (headers.get("host") ?? "") + target;
    if (text.length > MAX_TEXT || entry.body.kind !== "memory" || entry.body.pieces.length > 1)
      return;
    const kind = varies ? this.#codings.learn(headers.get("accept-encoding")) : SILENT;
    if (kind === UNKNOWN) return;
    const { now, wall, grown } = this.#parts;
    entry.baked ??= new Baked(
      entry,
      now() + entry.freshness.born + entry.freshness.lifetime - wall(),
      finish,
    );
    if (headers.has("if-none-match") || headers.has("if-modified-since"))
      entry.baked.bakeUnchanged();
    grown(entry);
    this.#remember(text, entry, varies, kind);
  }

  #remember(spelled: string, entry: Entry, varies: boolean, kind: number): void {
    // One text for both, where they are the same.
    const text = spelled === entry.key ? entry.key : spelled;
    const bytes = Buffer.from(text, "latin1");
    const host = text.indexOf("/");
    const code = hash(bytes, host, bytes.length, hash(bytes, 0, host));
    let free = -1;
    for (let i = 0; i < WAYS; i++) {
      const at = (code + i) & this.#mask;
      const place = this.#places[at];
      if (place?.hash === code && place.text === text) {
        if (place.varies === varies) {
          place.entries[kind] = entry;
          return;
        }
        free = at;
        break;
      }
      if (free < 0 && !place?.entries.some((one) => one?.alive)) free = at;
    }
    if (free < 0) free = (code + (this.#turn++ % WAYS)) & this.#mask;
    const entries: (Entry | undefined)[] = [];
    entries[kind] = entry;
    this.#places[free] = { hash: code, text, entries, varies };
  }

  #place({ bytes, pathStart, targetEnd }: Head, from: number, to: number): Place | undefined {
    const code = hash(bytes, pathStart, targetEnd, hash(bytes, from, to));
    for (let i = 0; i < WAYS; i++) {
      const place = this.#places[(code + i) & this.#mask];
      if (place === undefined || place.hash !== code) continue;
      const { text } = place;
      const host = to - from;
      if (text.length !== host + targetEnd - pathStart) continue;
      if (isText(text, 0, bytes, from, to) && isText(text, host, bytes, pathStart, targetEnd))
        return place;
    }
    return undefined;
  }
}

/** The whole, or 304 when the validator is the one we gave. Any other validator is the full path's. */
function conditional(head: Head, baked: Baked): Prepared | undefined {
  const { bytes, slot, valueEnd, valueStart } = head;
  const none = slot[Slot.ifNoneMatch]!;
  if (none >= 0) return same(baked.etag, bytes, valueStart[none]!, valueEnd[none]!, baked);
  const since = slot[Slot.ifModifiedSince]!;
  if (since >= 0) return same(baked.modified, bytes, valueStart[since]!, valueEnd[since]!, baked);
  return baked.whole;
}

function same(
  ours: string | undefined,
  bytes: Uint8Array,
  from: number,
  to: number,
  { unchanged }: Baked,
): Prepared | undefined {
  if (ours === undefined || ours.length !== to - from) return undefined;
  return isText(ours, 0, bytes, from, to) ? unchanged : undefined;
}

/** Are `bytes[from, to)` the characters of `text` from `at` on? It is long enough. */
function isText(text: string, at: number, bytes: Uint8Array, from: number, to: number): boolean {
  const ahead = at - from;
  for (let i = from; i < to; i++) if (text.charCodeAt(i + ahead) !== bytes[i]) return false;
  return true;
}
