import { byName, type Field } from "../../../../wire/http/caching/field-list.ts";
import {
  discard,
  type HttpRequest,
  type HttpResponse,
  settled,
} from "../../../../wire/http/message.ts";
import { isPartial, sliceOf } from "../asking.ts";
import type { Entry } from "../entry.ts";
import type { Keeper } from "../keeper.ts";
import { Marks } from "../marks.ts";
import { ownRequest, type Wish } from "../own-request.ts";
import { fieldsOfWhole, partIn, rangeField } from "./sliced.ts";
import { type Errand, type Slices, wholeOf } from "./slices.ts";

/** How long a whole is asked for at once, where servers had no parts of it that may be put together. */
const MARK_MS = 60_000;

export interface OpeningParts {
  /** Bytes of a slice; undefined when nothing is kept in slices. */
  readonly size: number | undefined;
  readonly slices: Slices;
  readonly keeper: Keeper;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

/** A first answer, to a question for a part. */
export interface First {
  readonly response: HttpResponse;
  /** Which slice was asked for, and when. */
  readonly index: number;
  readonly asked: number;
}

/** What came of asking instead; `aside`: it is for who asked alone. */
export interface Otherwise {
  readonly response: HttpResponse;
  readonly asked: number;
  readonly aside: boolean;
}

/** From the first part of something to what is kept in slices: asks for one, and sees what it is of. */
export class Opening {
  readonly #parts: OpeningParts;
  readonly #whole = new Marks();

  constructor(parts: OpeningParts) {
    this.#parts = parts;
  }

  /** The slice to ask for where nothing is stored under `key`; undefined: ask for the whole. */
  indexFor(request: HttpRequest, key: string): number | undefined {
    const { size, wall } = this.#parts;
    if (size === undefined || this.#whole.has(key, wall())) return undefined;
    return sliceOf(request, size);
  }

  /** A wish with these validators, for one slice or for the whole. */
  wish(plain: Wish, known: readonly Field[], index: number | undefined): Wish {
    const { size } = this.#parts;
    if (size === undefined || index === undefined) return { ...plain, validators: known };
    return { ...plain, validators: [...known, rangeField(size, index)] };
  }

  /**
   * The head of the whole whose part has come, kept from now on; or what else came of asking where there
   * are no slices. `errand.wish` is for the whole.
   */
  async of(
    { response, index, asked }: First,
    key: string,
    errand: Errand,
    noStore: boolean,
  ): Promise<Entry | Otherwise> {
    const { request, way, wish } = errand;
    const { wall } = this.#parts;
    if (response.status === 416 && index > 0) {
      discard(response); // the client knows no better: what there is begins at the beginning
      const again = { index: 0, asked: wall() };
      const first = await settled(way.fetch(ownRequest(request, this.wish(wish, [], 0))));
      if (first.status !== 206 && first.status !== 416)
        return { response: first, asked: again.asked, aside: false };
      return this.of({ response: first, ...again }, key, errand, noStore);
    }
    const opened = this.#open({ response, index, asked }, key, request, noStore);
    if (opened !== undefined) return opened;
    discard(response);
    this.#whole.set(key, wall() + MARK_MS);
    const now = wall();
    // Who wants a small part of what may be long gets that, and nobody anything else.
    const aside = isPartial(request);
    const asking = aside ? request : ownRequest(request, wish);
    return { response: await settled(way.fetch(asking)), asked: now, aside };
  }

  /** Undefined when it is no part that can be kept. */
  #open(
    { response, index, asked }: First,
    key: string,
    request: HttpRequest,
    noStore: boolean,
  ): Entry | Otherwise | undefined {
    const { size = 0, keeper, slices, wall } = this.#parts;
    const part = partIn(response, byName(response.headers));
    if (part?.from !== index * size) return undefined;
    const { total, etag } = part;
    if (part.to !== Math.min(total, part.from + size)) return undefined;
    if (total <= size) {
      const headers = fieldsOfWhole(response.headers);
      return { response: { ...response, status: 200, headers }, asked, aside: false };
    }
    const how = { asked, came: wall(), noStore };
    const entry = keeper.head(request, key, response, { size, total, etag }, how);
    const whole = typeof entry === "string" ? undefined : wholeOf(entry);
    if (typeof entry === "string" || whole === undefined) return undefined;
    slices.keep(whole, index, response, asked);
    return entry;
  }
}
