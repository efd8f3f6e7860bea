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
import type { HttpRequest } from "../../../../wire/http/message.ts";
import type { Head } from "../../../../wire/http1/head.ts";
import { Slot } from "../../../../wire/http1/known-fields.ts";
import { wantsMore } from "../../../../wire/http1/wants-more.ts";
import type { Bans } from "../bans.ts";
import { type Answerable, Baked, type Finishing, type Place, type Source } from "./bake.ts";

/** A newcomer may take one of so many places, a dead one first. */
const WAYS = 4;
/** Longer ones go the full path. */
const MAX_TEXT = 1024;
/** As net/quick.ts has it. */
const MAX_BODY = 64 * 1024;
export interface TableParts<E extends Answerable> {
  /** A `Clock`'s time, and milliseconds since 1970. */
  readonly now: () => number;
  readonly wall: () => number;
  readonly bans: Bans;
  /** Its body, where that can be had at once; undefined: it is for the full path. */
  readonly source: (entry: E) => Source | undefined;
  /** Asked before each answer, where given: is it there still? `now`: a `Clock`'s time. */
  readonly there?: (entry: E, now: number) => boolean;
  /** An entry takes more memory than it did. */
  readonly grown: (entry: E) => void;
}

export class QuickTable<E extends Answerable> {
  readonly #parts: TableParts<E>;
  readonly #places: (Place<E> | undefined)[];
  readonly #mask: number;
  readonly #codings = new ValueClasses((value) => acceptedCodings(value).join());
  #turn = 0;
  /** Answers given. */
  hits = 0;

  /** `places`: a power of two. */
  constructor(places: number, parts: TableParts<E>) {
    this.#parts = parts;
    this.#places = Array.from({ length: places });
    this.#mask = places - 1;
  }

  readonly find: Quick = (head, now) => {
    if (head.form !== "origin" || (!head.isGet && !head.isHead)) return undefined;
    const { slot } = head;
    const host = slot[Slot.host]!;
    if (host < 0) return undefined;
    if (wantsMore(head)) return undefined;

    const place = this.#place(head, head.valueStart[host]!, head.valueEnd[host]!);
    if (place === undefined) return undefined;
    const entry = place.variants === undefined ? place.entry : this.#variant(place.variants, head);
    const baked = entry?.baked;
    if (entry === undefined || baked === undefined || !entry.alive || now >= baked.until)
      return undefined;
    const { bans, there } = this.#parts;
    if (baked.version !== bans.version) {
      if (bans.isDead(entry)) return undefined;
      baked.version = bans.version;
    }
    const found = conditional(head, baked);
    if (found === undefined || (there !== undefined && !there(entry, now))) return undefined;
    if (entry.visits < MOST_VISITS) entry.visits++;
    this.hits++;
    return found;
  };

  #variant(variants: readonly (E | undefined)[], head: Head): E | undefined {
    const coding = head.slot[Slot.acceptEncoding]!;
    if (coding < 0) return variants[SILENT];
    const { bytes, valueEnd, valueStart } = head;
    const kind = this.#codings.find(bytes, valueStart[coding]!, valueEnd[coding]!);
    return kind === UNKNOWN ? undefined : variants[kind];
  }

  /** `entry` has answered `request`, and may do so again as long as it is fresh. */
  learn(request: HttpRequest, entry: E, way: Finishing): void {
    const { headers, protocol, target } = request;
    const [field] = entry.names;
    const varies = field !== undefined;
    if (varies && (entry.names.length > 1 || field !== "accept-encoding")) return;
    if (!protocol.startsWith("HTTP/1") || !target.startsWith("/") || !entry.alive) return;
    if (headers.has("range") || headers.has("authorization")) return;
    const text = (headers.get("host") ?? "") + target;
    const { grown, now, source, wall } = this.#parts;
    const body = source(entry);
    if (text.length > MAX_TEXT || body === undefined || body.length > MAX_BODY) return;
    const kind = varies ? this.#codings.learn(headers.get("accept-encoding")) : SILENT;
    if (kind === UNKNOWN) return;
    if (entry.baked?.way !== way) entry.baked = undefined;
    entry.baked ??= new Baked(
      entry,
      body,
      now() + entry.freshness.born + entry.freshness.lifetime - wall(),
      way,
    );
    if (headers.has("if-none-match") || headers.has("if-modified-since"))
      entry.baked.bakeUnchanged(entry, way);
    grown(entry);
    entry.baked.place = this.#remember(text, entry, varies, kind);
  }

  #remember(spelled: string, entry: E, varies: boolean, kind: number): Place<E> {
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
        free = at;
        if (place.variants === undefined && !varies) {
          place.entry = entry;
          return place;
        }
        if (place.variants !== undefined && varies) {
          place.variants[kind] = entry;
          return place;
        }
        break;
      }
      if (free < 0 && !isAlive(place)) free = at;
    }
    if (free < 0) free = (code + (this.#turn++ % WAYS)) & this.#mask;
    const variants: (E | undefined)[] | undefined = varies ? [] : undefined;
    if (variants !== undefined) variants[kind] = entry;
    const place = { hash: code, text, entry: varies ? undefined : entry, variants };
    this.#places[free] = place;
    return place;
  }

  #place({ bytes, pathStart, targetEnd }: Head, from: number, to: number): Place<E> | undefined {
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

function isAlive(place: Place<Answerable> | undefined): boolean {
  return place?.entry?.alive === true || place?.variants?.some((one) => one?.alive) === true;
}

/** The whole, or 304 when the validator is the one we gave. Any other validator is the full path's. */
function conditional(head: Head, baked: Baked): Prepared | undefined {
  const { bytes, slot, valueEnd, valueStart } = head;
  const none = slot[Slot.ifNoneMatch]!;
  if (none >= 0) return same(baked.etag, bytes, valueStart[none]!, valueEnd[none]!, baked);
  const since = slot[Slot.ifModifiedSince]!;
  if (since >= 0) return same(baked.modified, bytes, valueStart[since]!, valueEnd[since]!, baked);
  return baked;
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
