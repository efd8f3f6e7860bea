import { byName, type Field } from "../../../wire/http/caching/field-list.ts";
import { keepable } from "../../../wire/http/caching/renew.ts";
import { type Asking, notKept } from "../../../wire/http/caching/storable.ts";
import { directivesOf, type ReplyFields, type Rules } from "../../../wire/http/caching/stored.ts";
import { varyKey, varyNames } from "../../../wire/http/caching/vary.ts";
import { formatDate } from "../../../wire/http/date.ts";
import type { Body, HttpRequest, HttpResponse } from "../../../wire/http/message.ts";
import { varyField } from "./asking.ts";
import type { CacheConfig } from "./config.ts";
import { SMALL } from "./disk/disk.ts";
import { Entry, type Name, release, type Sent } from "./entry.ts";
import { Filling } from "./filling.ts";
import type { Coming } from "./flight.ts";
import { inPieces } from "./kept.ts";
import { fieldsOfWhole, type Sliced, slicedField } from "./slices/sliced.ts";
import type { Store } from "./store.ts";
import { flowOfStream } from "./stream-flow.ts";

/** How a response came to be asked for. Milliseconds since 1970. */
export interface Circumstances {
  readonly asked: number;
  readonly came: number;
  /** The client wants it not kept, and may. */
  readonly noStore: boolean;
  /** Its body is whole, or will never be, or is too large to be kept. */
  readonly over: () => void;
}

/** So much may be on its way to disk, in bodies that are written when they are whole. */
const COMING_TO_DISK = 32 * 1024 * 1024;

/** Decides what is kept, and keeps it: at once what is there, the rest while it comes. */
export class Keeper {
  readonly #config: CacheConfig;
  readonly #rules: Rules;
  readonly #store: Store;
  /** Bytes of bodies on their way. */
  #coming = 0;
  stored = 0;

  constructor(config: CacheConfig, rules: Rules, store: Store) {
    this.#config = config;
    this.#rules = rules;
    this.#store = store;
  }

  /**
   * Keep `response` if it may be: the entry when all of it is here, what is on its way otherwise;
   * or a word why not. Its body is then the cache's.
   */
  keep(
    request: HttpRequest,
    key: string,
    response: HttpResponse,
    how: Circumstances,
  ): Entry | Coming | string {
    const { status, headers, body, named } = response;
    if (named !== true) return "error";
    const fields = byName(headers);
    const why = notKept(askingOf(request, how.noStore), status, fields, this.#rules);
    if (why !== undefined) return why;
    const length = lengthOf(body);
    if (length === "files") return "files";
    if (length !== undefined && length > this.#config.max_object) return "too-large";
    const names = varyNames(fields.get("vary"));
    const name: Name = { key, names, variant: varyKey(names, varyField(request)) };
    const sent: Sent = {
      status,
      fields: kept(headers, fields, how.came),
      asked: how.asked,
      came: how.came,
    };
    return body.kind === "none" || body.kind === "pieces"
      ? this.#whole(name, sent, body)
      : this.#begin(name, sent, body, length, how);
  }

  /**
   * Keep what the parts of a response have in common, of one of which this is the head; or a word why
   * not. The body is not looked at.
   */
  head(
    request: HttpRequest,
    key: string,
    { headers }: HttpResponse,
    sliced: Sliced,
    how: Omit<Circumstances, "over">,
  ): Entry | string {
    const fields = byName(headers);
    const why = notKept(askingOf(request, how.noStore), 200, fields, this.#rules);
    if (why !== undefined) return why;
    const names = varyNames(fields.get("vary"));
    const { asked, came } = how;
    const whole = fieldsOfWhole(kept(headers, fields, came));
    const sent: Sent = { status: 200, fields: [...whole, slicedField(sliced)], asked, came };
    return this.#put({ key, names, variant: varyKey(names, varyField(request)) }, sent, []);
  }

  /**
   * A stored response that still holds, brought up to date; or a word why it must not be kept any
   * longer, by what came with that news: then it is gone. Somebody holds `stored`.
   */
  renew(
    stored: Entry,
    fields: readonly Field[],
    when: Pick<Sent, "asked" | "came">,
    asking: Asking,
  ): Entry | string {
    const known = byName(fields);
    const varies = varyNames(known.get("vary")).join() !== stored.names.join();
    const why = notKept(asking, stored.status, known, this.#rules) ?? (varies ? "vary" : undefined);
    if (why !== undefined) {
      this.#store.drop(stored);
      return why;
    }
    const sent = { status: stored.status, fields: kept(fields, known, when.came), ...when };
    if (stored.body.kind !== "pieces") stored.body.hold();
    const entry = new Entry(stored, sent, stored.body, this.#rules);
    this.#store.renew(entry);
    release(entry);
    return entry;
  }

  #whole(name: Name, sent: Sent, body: Body): Entry {
    const pieces = body.kind === "pieces" ? body.pieces : [];
    const bytes = pieces.filter((piece) => piece instanceof Uint8Array);
    return this.#put(name, sent, bytes);
  }

  #begin(
    name: Name,
    sent: Sent,
    body: Body & { kind: "flow" | "stream" },
    length: number | undefined,
    { over }: Circumstances,
  ): Entry | Coming {
    let entry: Entry | undefined;
    let mine = 0;
    const { max_object, memory } = this.#config;
    const { disk } = this.#store;
    const room = disk === undefined ? memory : Math.max(memory, COMING_TO_DISK);
    const flow = body.kind === "flow" ? body.flow : flowOfStream(body.stream);
    const filling = new Filling(flow, length, {
      spoolFrom: disk === undefined ? Infinity : SMALL,
      spool: (moved) => disk?.writer.spool(name, sent, moved),
      mayKeep: (all, more, spooled) => {
        if (all > max_object) return false;
        if (spooled) return true;
        if (this.#coming + more > room) return false;
        this.#coming += more;
        mine += more;
        return true;
      },
      over: (gathered) => {
        this.#coming -= mine;
        if (gathered?.kind === "pieces") entry = this.#put(name, sent, gathered.pieces);
        else if (
          gathered !== undefined &&
          this.#store.putSpooled(name, sent, gathered.spool, gathered.length)
        )
          this.stored++;
        over();
      },
      tooLarge: over,
    });
    filling.begin();
    const fields = byName(sent.fields);
    const { public: open, mustRevalidate, sMaxage } = directivesOf(fields);
    const shared = open || mustRevalidate || sMaxage !== undefined;
    const stored = disk !== undefined || this.#store.memory.takes(length);
    return entry ?? { ...name, ...sent, shared, stored, filling };
  }

  #put(name: Name, sent: Sent, pieces: readonly Uint8Array[]): Entry {
    const entry = new Entry(name, sent, inPieces(pieces), this.#rules);
    entry.kept = this.#store.put(entry, sent, pieces);
    if (entry.kept) this.stored++;
    release(entry);
    return entry;
  }
}

/** `noStore`: the client wants it not kept, and may. */
export function askingOf({ method, headers }: HttpRequest, noStore: boolean): Asking {
  return { method, authorization: headers.has("authorization"), noStore };
}

/** Undefined when only the end tells; "files" when it is not for us to keep. */
function lengthOf(body: Body): number | undefined | "files" {
  if (body.kind === "none") return 0;
  if (body.kind !== "pieces") return body.length;
  let length = 0;
  for (const piece of body.pieces) {
    if (!(piece instanceof Uint8Array)) return "files";
    length += piece.length;
  }
  return length;
}

/** The fields to keep: with a Date (RFC 9110, 6.6.1), without those that are not for all. */
function kept(headers: readonly Field[], fields: ReplyFields, came: number): Field[] {
  const { noCache, private: secret } = directivesOf(fields);
  const named = [noCache, secret].flatMap((said) => (typeof said === "boolean" ? [] : said));
  const all = keepable(headers, named);
  return fields.has("date") ? all : [["Date", formatDate(came)], ...all];
}
