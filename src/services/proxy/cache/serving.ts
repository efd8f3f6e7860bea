import type { CacheOutcome } from "../../../wire/http/caching/cache-status.ts";
import { varyKey } from "../../../wire/http/caching/vary.ts";
import type { HttpRequest, HttpResponse } from "../../../wire/http/message.ts";
import type { Answers, Why } from "./answers.ts";
import { varyField } from "./asking.ts";
import type { Entry } from "./entry.ts";
import type { Landed } from "./flight.ts";
import type { Wish } from "./own-request.ts";
import { SlicedFlow } from "./slices/sliced-flow.ts";
import { type Slice, type Slices, type Whole, wholeOf } from "./slices/slices.ts";
import type { Store } from "./store.ts";
import type { Way } from "./way.ts";

/** Where it takes it from. */
export interface ServingParts {
  readonly store: Store;
  readonly answers: Answers;
  readonly slices: Slices;
  /** What is asked for, when nothing is known of it. */
  readonly wish: (request: HttpRequest, way: Way) => Wish;
  /** Let a request through as it is. */
  readonly pass: (request: HttpRequest, way: Way, why: Why) => Promise<HttpResponse>;
}

/** What is stored, or comes, as one client gets it. */
export class Serving {
  readonly #parts: ServingParts;

  constructor(parts: ServingParts) {
    this.#parts = parts;
  }

  /** What has landed, for this request; undefined when it is not for it. */
  land(
    landed: Landed,
    request: HttpRequest,
    way: Way,
    why: Why,
  ): HttpResponse | Promise<HttpResponse> | undefined {
    if (landed.kind === "nothing") return undefined;
    const one = landed.kind === "entry" ? landed.entry : landed.coming;
    if (request.headers.has("authorization") && !one.shared) return undefined;
    if (one.variant !== varyKey(one.names, varyField(request))) return undefined;
    if (landed.kind === "entry") {
      const { status, entry } = landed;
      return this.stored(entry, request, way, {
        hit: false,
        ...why,
        ...(status === undefined ? { stored: entry.kept } : { forwardStatus: status }),
      });
    }
    const { coming } = landed;
    if (!coming.filling.open) return undefined;
    return this.#parts.answers.coming(coming, request, {
      hit: false,
      ...why,
      stored: coming.stored,
    });
  }

  /** One that is stored, as a whole or in slices. */
  stored(
    entry: Entry,
    request: HttpRequest,
    way: Way,
    outcome: CacheOutcome,
  ): HttpResponse | Promise<HttpResponse> {
    const whole = wholeOf(entry);
    return whole === undefined
      ? this.#parts.answers.stored(entry, request, outcome)
      : this.#sliced(entry, whole, request, way, outcome);
  }

  /** Its first slice decides: what was promised to a client is of one and the same whole. */
  async #sliced(
    entry: Entry,
    whole: Whole,
    request: HttpRequest,
    way: Way,
    outcome: CacheOutcome,
  ): Promise<HttpResponse> {
    const errand = { request, way, wish: this.#parts.wish(request, way) };
    const take = async (index: number): Promise<Slice> => {
      const slice = await this.#parts.slices.take(whole, index, errand);
      if (slice === "changed") this.#parts.store.drop(entry);
      return slice;
    };
    let flow: SlicedFlow | undefined;
    const read = (from: number, to: number): SlicedFlow =>
      (flow = new SlicedFlow(whole.sliced.size, from, to, take));
    const response = this.#parts.answers.sliced(entry, request, outcome, read);
    const first = (await flow?.first()) ?? "here";
    if (first === "here" || (first === "fetched" && !outcome.hit)) return response;
    const partial: Why = { forward: "partial" };
    if (first === "fetched")
      return this.#parts.answers.retold(response, entry, {
        ...outcome,
        ...partial,
        hit: false,
        stored: true,
      });
    // Another whole, or no server that has it: as it is now, for this one alone.
    return this.#parts.pass(request, way, partial);
  }
}
