import { byName } from "../../../wire/http/caching/field-list.ts";
import { isAbout, renewed, validators } from "../../../wire/http/caching/renew.ts";
import {
  type HttpRequest,
  type HttpResponse,
  respond,
  settled,
} from "../../../wire/http/message.ts";
import { discard } from "./answers.ts";
import { type Keys, saidOf } from "./asking.ts";
import type { CacheConfig } from "./config.ts";
import { Entry, release } from "./entry.ts";
import type { Flight, Landed } from "./flight.ts";
import type { Flights } from "./flights.ts";
import { askingOf, type Keeper } from "./keeper.ts";
import { bodyOf } from "./kept.ts";
import type { Marks } from "./marks.ts";
import { ownRequest, type Wish } from "./own-request.ts";
import type { Opening } from "./slices/opening.ts";
import type { Store } from "./store.ts";
import type { Way } from "./way.ts";

/** How long what must not be kept is asked for without waiting for others. */
const MARK_MS = 60_000;
/** Errors that a stale response may stand in for (RFC 5861, 4). */
const ERRORS = new Set([500, 502, 503, 504]);

/** A response that is for whoever asked alone, and a word why. */
export interface Raw {
  readonly response: HttpResponse;
  readonly detail: string;
}

/** What it asks with, and keeps with. */
export interface BringingParts {
  readonly config: CacheConfig;
  readonly store: Store;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  readonly keys: Keys;
  readonly keeper: Keeper;
  readonly opening: Opening;
  readonly marks: Marks;
  readonly flights: Flights;
}

/** Asks servers for what others may have as well: what is renewed, kept, stood in for, or for one client alone. */
export class Bringing {
  readonly #parts: BringingParts;
  /** Servers said that what is stored still holds. */
  renewals = 0;
  /** What is stored stood in for a server that failed. */
  stale = 0;

  constructor(parts: BringingParts) {
    this.#parts = parts;
  }

  get stored(): number {
    return this.#parts.keeper.stored;
  }

  /** Ask a server, and let land what others may have; else the response is for who asked alone. */
  async bring(
    flight: Flight,
    request: HttpRequest,
    way: Way,
    stored: Entry | undefined,
    mayBeStale: boolean,
  ): Promise<Landed | Raw> {
    stored?.hold();
    try {
      return await this.#bring(flight, request, way, stored, mayBeStale);
    } finally {
      if (stored !== undefined) release(stored);
    }
  }

  async #bring(
    flight: Flight,
    request: HttpRequest,
    way: Way,
    stored: Entry | undefined,
    mayBeStale: boolean,
  ): Promise<Landed | Raw> {
    const { wall, keys, opening, store, flights } = this.#parts;
    const before = stored?.fields ?? [];
    const plain = { ...this.wish(request, way), behind: flight.behind };
    const key = keys.of(request, way);
    const index = opening.indexFor(request, key);
    const known = validators(byName(before));
    let asked = wall();
    let response = await settled(way.fetch(ownRequest(request, opening.wish(plain, known, index))));
    if (response.status === 304 && response.named === true) {
      if (stored !== undefined && isAbout(byName(before), byName(response.headers))) {
        discard(response);
        return this.#renewed(flight, request, way, stored, { response, asked });
      }
      // A 304 to what was not asked: once more, in a way that has no such answer.
      discard(response);
      asked = wall();
      response = await settled(way.fetch(ownRequest(request, plain)));
    }
    if (index !== undefined && (response.status === 206 || response.status === 416)) {
      const opened = await opening.of(
        { response, index, asked },
        key,
        { request, way, wish: plain },
        saidOf(request, this.#parts.config)?.noStore === true,
      );
      if (opened instanceof Entry)
        return flights.landed(flight, {
          kind: "entry",
          entry: opened,
          status: undefined,
        });
      ({ response, asked } = opened);
      if (opened.aside) {
        if (stored !== undefined) store.drop(stored);
        return this.#alone(flight, response, "no-slices", "alone");
      }
    }
    const failed = response.named !== true || ERRORS.has(response.status);
    if (failed && stored !== undefined && mayBeStale) {
      const { status } = response;
      discard(response);
      this.stale++;
      return flights.landed(flight, { kind: "entry", entry: stored, status });
    }
    if (response.status === 304) {
      discard(response);
      return this.#alone(flight, respond(502, [], "502\n"), "bad-304", "failed");
    }
    const kept = this.keep(flight, request, way, response, asked);
    if (typeof kept !== "string") return flights.landed(flight, kept);
    if (response.named !== true) return this.#alone(flight, response, "error", "failed");
    if (!failed) {
      if (stored !== undefined) store.drop(stored);
      this.#mark(request, way);
    }
    return this.#alone(flight, response, kept, failed ? "failed" : "alone");
  }

  /** A server says that it still holds. */
  async #renewed(
    flight: Flight,
    request: HttpRequest,
    way: Way,
    stored: Entry,
    { response, asked }: { readonly response: HttpResponse; readonly asked: number },
  ): Promise<Landed | Raw> {
    const { wall, keeper, flights } = this.#parts;
    this.renewals++;
    const fields = renewed(stored.fields, response.headers);
    const when = { asked, came: wall() };
    const entry = keeper.renew(stored, fields, when, askingOf(request, false));
    if (typeof entry !== "string")
      return flights.landed(flight, { kind: "entry", entry, status: 304 });
    // From now on only for who asked.
    const { status, body, sliced } = stored;
    this.#mark(request, way);
    if (sliced !== undefined) {
      const plain = { ...this.wish(request, way), behind: flight.behind };
      const mine = await settled(way.fetch(ownRequest(request, plain)));
      return this.#alone(flight, mine, entry, "alone");
    }
    const mine = { status, headers: fields, body: bodyOf(body, 0, body.length), named: true };
    return this.#alone(flight, mine, entry, "alone");
  }

  /** For a while nobody waits for what comes of it: it is not for others. */
  #mark(request: HttpRequest, way: Way): void {
    const { marks, keys, wall } = this.#parts;
    marks.set(keys.of(request, way), wall() + MARK_MS);
  }

  /** What is asked for, when nothing is known of it. */
  wish(request: HttpRequest, { expands }: Pick<Way, "expands">): Wish {
    const { config, keys } = this.#parts;
    return {
      target: keys.target(request),
      clientControl: config.client_control,
      fills: expands || keys.trusts(request),
      behind: false,
      validators: [],
    };
  }

  /** Begin to keep a response, for those who wait; or say why not. */
  keep(
    flight: Flight | undefined,
    request: HttpRequest,
    way: Way,
    response: HttpResponse,
    asked: number,
  ): Landed | string {
    const made = this.#parts.keeper.keep(request, this.#parts.keys.of(request, way), response, {
      asked,
      came: this.#parts.wall(),
      noStore: saidOf(request, this.#parts.config)?.noStore === true,
      over: () => flight && this.#parts.flights.leave(flight),
    });
    if (typeof made === "string") return made;
    return made instanceof Entry
      ? { kind: "entry", entry: made, status: undefined }
      : { kind: "coming", coming: made };
  }

  #alone(flight: Flight, response: HttpResponse, detail: string, why: "alone" | "failed"): Raw {
    this.#parts.flights.nothing(flight, why);
    return { response, detail };
  }
}
