import { Garbage } from "../../../../net/garbage.ts";
import { byName, type Field } from "../../../../wire/http/caching/field-list.ts";
import { notKept } from "../../../../wire/http/caching/storable.ts";
import type { Rules } from "../../../../wire/http/caching/stored.ts";
import {
  discard,
  type HttpRequest,
  type HttpResponse,
  settled,
} from "../../../../wire/http/message.ts";
import { Entry, type Name, release, type Sent } from "../entry.ts";
import { inPieces } from "../kept.ts";
import { ownRequest, type Wish } from "../own-request.ts";
import type { Store } from "../store.ts";
import type { Way } from "../way.ts";
import { gather } from "./gather.ts";
import { partIn, rangeField, type Sliced } from "./sliced.ts";

const garbage = new Garbage(24 * 2 ** 20);

/** How servers are asked for parts, on behalf of which request. */
export interface Errand {
  readonly request: HttpRequest;
  readonly way: Way;
  readonly wish: Wish;
}

/** A slice that is there; "changed": the server has another whole by now, or one that is not to be kept; "failed": it has none now. */
export type Slice = { readonly entry: Entry; readonly fetched: boolean } | "changed" | "failed";

/** What the parts of one whole have in common. */
export type Whole = Name & { readonly sliced: Sliced; readonly tags: readonly string[] };

/** What is stored of a whole that is kept in slices; undefined when it is stored itself. */
export function wholeOf({ key, names, variant, sliced, tags }: Entry): Whole | undefined {
  return sliced && { key, names, variant, sliced, tags };
}

export interface SlicesParts {
  readonly store: Store;
  readonly rules: Rules;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

/**
 * The parts of large responses. Each is stored under the name of the whole, its tag and its place in it:
 * so it holds as long as the whole has that tag, and what makes the whole obsolete does so to it.
 */
export class Slices {
  readonly #parts: SlicesParts;
  /** What is being fetched, by key. */
  readonly #coming = new Map<string, Promise<Slice>>();
  fetched = 0;

  constructor(parts: SlicesParts) {
    this.#parts = parts;
  }

  /** Slice `index` of a whole, held by the caller. Never rejects for what servers do. */
  async take(whole: Whole, index: number, errand: Errand): Promise<Slice> {
    const key = keyOf(whole, index);
    const length = lengthOf(whole.sliced, index);
    const coming = this.#coming.get(key);
    const found = coming === undefined ? await this.#parts.store.find(key, () => null) : undefined;
    if (found instanceof Entry && found.body.length === length) {
      found.hold();
      return { entry: found, fetched: false };
    }
    const slice = await (coming ?? this.#coming.get(key) ?? this.#fetch(key, whole, index, errand));
    if (typeof slice === "object") slice.entry.hold();
    return slice;
  }

  /** Keep slice `index` of a whole, which came with the news of it. */
  keep(whole: Whole, index: number, response: HttpResponse, asked: number): void {
    const key = keyOf(whole, index);
    void this.#once(key, () => this.#gathered(key, whole, index, response, asked));
  }

  #fetch(key: string, whole: Whole, index: number, errand: Errand): Promise<Slice> {
    const { request, way, wish } = errand;
    const { size, etag, total } = whole.sliced;
    // Its client may be in the middle of its answer: nothing but this is for it.
    const behind = true;
    const validators: Field[] = [rangeField(size, index), ["If-Range", etag]];
    return this.#once(key, async () => {
      const asked = this.#parts.wall();
      const response = await settled(
        way.fetch(ownRequest(request, { ...wish, behind, validators })),
      );
      const fields = byName(response.headers);
      const part = partIn(response, fields);
      const asking = { method: "GET", authorization: false, noStore: false }; // the whole decided that
      const from = index * size;
      if (
        part?.from === from &&
        part.to === from + lengthOf(whole.sliced, index) &&
        part.total === total &&
        part.etag === etag &&
        notKept(asking, 200, fields, this.#parts.rules) === undefined
      )
        return this.#gathered(key, whole, index, response, asked);
      discard(response);
      return response.named === true && response.status < 500 ? "changed" : "failed";
    });
  }

  /** One for all who want it at this time. */
  #once(key: string, fetch: () => Promise<Slice>): Promise<Slice> {
    const coming = fetch().finally(() => {
      if (this.#coming.get(key) === coming) this.#coming.delete(key);
    });
    this.#coming.set(key, coming);
    return coming;
  }

  async #gathered(
    key: string,
    { sliced, tags }: Whole,
    index: number,
    response: HttpResponse,
    asked: number,
  ): Promise<Slice> {
    let bytes: Uint8Array;
    try {
      bytes = await gather(response.body, lengthOf(sliced, index));
    } catch {
      return "failed";
    }
    this.fetched++;
    garbage.left(bytes.length);
    const { store, rules, wall } = this.#parts;
    const fields: Field[] = [["ETag", sliced.etag]];
    if (tags.length > 0) fields.push(["Cache-Tag", tags.join(",")]);
    const sent: Sent = { status: 206, fields, asked, came: wall() };
    const entry = new Entry({ key, names: [], variant: "" }, sent, inPieces([bytes]), rules);
    store.put(entry, sent, [bytes]);
    release(entry);
    return { entry, fetched: true };
  }
}

/** A line behind the URL that no other key has: so a purge of the URL finds its slices. */
function keyOf({ key, variant, sliced: { size, etag } }: Whole, index: number): string {
  return `${key}\nslice ${size} ${index} ${etag}\n${variant}`;
}

function lengthOf({ size, total }: Sliced, index: number): number {
  return Math.min(size, total - index * size);
}
