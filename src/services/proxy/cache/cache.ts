import { parseCacheControl } from "../../../wire/http/caching/cache-control.ts";
/** The cache of a proxy: which requests are answered from what is stored, and what is stored. */
import type { CacheOutcome } from "../../../wire/http/caching/cache-status.ts";
import { byName } from "../../../wire/http/caching/field-list.ts";
import { isAbout, renewed, validators } from "../../../wire/http/caching/renew.ts";
import { ageAt, reuse } from "../../../wire/http/caching/reuse.ts";
import type { Rules } from "../../../wire/http/caching/stored.ts";
import { varyKey } from "../../../wire/http/caching/vary.ts";
import {
  type HttpAnswer,
  type HttpRequest,
  type HttpResponse,
  respond,
  settled,
} from "../../../wire/http/message.ts";
import { Answers, discard, type Why } from "./answers.ts";
import { alsoChanged, isFar, isPartial, isSafe, Keys, varyField, whyAside } from "./asking.ts";
import { type CacheConfig, rulesOf } from "./config.ts";
import type { Found } from "./disk/disk.ts";
import type { Locks } from "./disk/locks.ts";
import { Entry, placeOf, release } from "./entry.ts";
import { Flight, type Landed } from "./flight.ts";
import { askingOf, Keeper } from "./keeper.ts";
import { bodyOf } from "./kept.ts";
import { Marks } from "./marks.ts";
import { ownFields, ownRequest, type Wish } from "./own-request.ts";
import { type Purged, PurgeRequests } from "./purge-request.ts";
import { Opening } from "./slices/opening.ts";
import { SlicedFlow } from "./slices/sliced-flow.ts";
import { type Slice, Slices, type Whole, wholeOf } from "./slices/slices.ts";
import type { Store } from "./store.ts";

/** How requests of one route reach their servers, and what clients are to see of the responses. */
export interface Way {
  /**
   * Ask a server. Never rejects for what servers do: where none answers the response is ours, and
   * not `named`. Fields are as the server sent them, without those of the hop.
   */
  fetch(request: HttpRequest): HttpAnswer;
  /** A response as clients are to see it: the same for all of them. */
  finish(response: HttpResponse): HttpResponse;
}

export interface CacheParts {
  readonly store: Store;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** Proxies whose word on scheme and host is handed on; undefined when there are none. */
  readonly trusted: ((address: string) => boolean) | undefined;
  /** Between the parts of a multipart response: letters and digits, drawn anew each time. */
  readonly boundary: () => string;
  /** A URL was changed by a request: no worker may use what is stored of it. */
  readonly invalidate: (urls: readonly string[]) => void;
  /** Somebody who may wants these not to be used any more. Answers how many left the memory. */
  readonly purge: (what: readonly Purged[]) => number;
  /** A response was used that answers made ahead can be made of. */
  readonly used: (request: HttpRequest, entry: Entry, way: Way) => void;
}

/** How long what must not be kept is asked for without waiting for others. */
const MARK_MS = 60_000;
/** Times a request waits for others before it goes by itself. */
const MOST_WAITS = 2;
/** Errors that a stale response may stand in for (RFC 5861, 4). */
const ERRORS = new Set([500, 502, 503, 504]);

/** A response that is for whoever asked alone, and a word why. */
interface Raw {
  readonly response: HttpResponse;
  readonly detail: string;
}
export class Cache {
  readonly #config: CacheConfig;
  readonly #rules: Rules;
  readonly #parts: CacheParts;
  readonly #store: Store;
  readonly #keys: Keys;
  readonly #keeper: Keeper;
  readonly #purges: PurgeRequests;
  readonly #answers: Answers;
  readonly #slices: Slices;
  readonly #opening: Opening;
  readonly #marks = new Marks();
  /** What is being fetched, by place. */
  readonly #flights = new Map<string, Flight>();
  hits = 0;
  misses = 0;
  stale = 0;
  renewals = 0;
  collapsed = 0;
  passed = 0;

  constructor(config: CacheConfig, parts: CacheParts) {
    this.#config = config;
    this.#parts = parts;
    this.#store = parts.store;
    this.#answers = new Answers(parts.wall, parts.boundary);
    this.#rules = rulesOf(config);
    this.#keys = new Keys(config, parts.trusted);
    this.#purges = new PurgeRequests(config.purge);
    this.#keeper = new Keeper(config, this.#rules, parts.store);
    const { store, wall } = parts;
    this.#slices = new Slices({ store, rules: this.#rules, wall });
    const [keeper, slices, size] = [this.#keeper, this.#slices, config.slice];
    this.#opening = new Opening({ size, slices, keeper, wall });
  }

  get query(): CacheConfig["query"] {
    return this.#config.query;
  }
  get stored(): number {
    return this.#keeper.stored;
  }
  get slices(): number {
    return this.#slices.fetched;
  }

  /** Answer a request from what is stored, or by what its `way` brings; not finished yet. */
  answer(request: HttpRequest, way: Way): HttpResponse | Promise<HttpResponse> {
    const { method } = request;
    if (method === "PURGE") {
      const purge = (what: readonly Purged[]): number => this.#parts.purge(what);
      const answer = this.#purges.answer(request, this.#keys.url(request), purge);
      if (answer !== undefined) return answer;
    }
    if (method !== "GET" && method !== "HEAD") return this.#change(request, way);
    const aside = whyAside(request);
    if (aside !== undefined) return this.#pass(request, way, { forward: "bypass", detail: aside });
    return this.#read(request, this.#keys.of(request), way, 0);
  }

  /** `waits`: how often it has waited in vain. */
  #read(
    request: HttpRequest,
    key: string,
    way: Way,
    waits: number,
  ): HttpResponse | Promise<HttpResponse> {
    const found = this.#store.find(key, varyField(request));
    return found instanceof Promise
      ? found.then((one) => this.#decide(request, key, way, waits, one))
      : this.#decide(request, key, way, waits, found);
  }

  #decide(
    request: HttpRequest,
    key: string,
    way: Way,
    waits: number,
    found: Found,
  ): HttpResponse | Promise<HttpResponse> {
    const said = this.#said(request);
    if (!(found instanceof Entry)) {
      if (said?.onlyIfCached) return this.#answers.gatewayTimeout();
      return this.#miss(request, key, way, waits, {
        forward: found === "variant" ? "vary-miss" : "uri-miss",
      });
    }
    if (request.headers.has("authorization") && !found.shared)
      return this.#pass(request, way, { forward: "bypass", detail: "authorization" });
    const now = this.#parts.wall();
    const use = reuse(found.freshness, said, now);
    if (use.kind === "fresh") {
      this.hits++;
      if (found.sliced === undefined) this.#parts.used(request, found, way);
      return this.#stored(found, request, way, { hit: true });
    }
    if (use.kind === "background") {
      this.stale++;
      this.#refresh(found, request, way);
      return this.#stored(found, request, way, { hit: true });
    }
    if (said?.onlyIfCached) return this.#answers.gatewayTimeout();
    const isStale = ageAt(found.freshness, now) >= found.freshness.lifetime;
    const why: Why = { forward: isStale || found.freshness.always ? "stale" : "request" };
    return this.#ask(request, found.place, way, waits, why, found, use.stale);
  }

  #miss(
    request: HttpRequest,
    key: string,
    way: Way,
    waits: number,
    why: Why,
  ): HttpResponse | Promise<HttpResponse> {
    const marked = this.#marks.has(key, this.#parts.wall());
    // A part from far inside, or the head alone, is not worth the whole.
    if (
      marked ||
      request.method === "HEAD" ||
      (isFar(request) && this.#opening.indexFor(request, key) === undefined) ||
      request.headers.has("authorization")
    )
      return this.#pass(request, way, why);
    const names = this.#store.namesOf(key);
    const place = placeOf({ key, names, variant: varyKey(names, varyField(request)) });
    return this.#ask(request, place, way, waits, why, undefined, false);
  }

  /** Ask a server for the whole, or wait for who does. `stored`: what may still hold. */
  async #ask(
    request: HttpRequest,
    place: string,
    way: Way,
    waits: number,
    why: Why,
    stored: Entry | undefined,
    mayBeStale: boolean,
  ): Promise<HttpResponse> {
    const waiting = waits < MOST_WAITS ? this.#flights.get(place) : undefined;
    if (waiting !== undefined) {
      const { collapse } = this.#config;
      const landed = await waiting.wait(collapse, () => this.#leave(waiting));
      const answer = this.#land(landed, request, way, { ...why, collapsed: true });
      if (answer !== undefined) {
        this.collapsed++;
        return answer;
      }
      const alone = landed.kind === "nothing" && landed.why !== "alone";
      return this.#read(request, this.#keys.of(request), way, alone ? MOST_WAITS : waits + 1);
    }
    const flight = this.#take(place);
    try {
      const { locks } = this.#store;
      if (locks !== undefined && stored === undefined && waits === 0) {
        const found = await this.#fromOthers(flight, request, locks);
        if (found !== undefined) return await this.#stored(found, request, way, { hit: true });
      }
      this.misses++;
      const landed = await this.#fly(flight, request, way, stored, mayBeStale);
      if ("response" in landed)
        return this.#answers.raw(landed.response, request, why, landed.detail);
      const answer = this.#land(landed, request, way, why);
      if (answer !== undefined) return await answer;
    } catch (error) {
      flight.land({ kind: "nothing", why: "failed" });
      this.#leave(flight);
      throw error;
    }
    // It turned out too large within this very turn, and went by: ask again for this one alone.
    return this.#pass(request, way, why);
  }

  /** What has landed, for this request; undefined when it is not for it. */
  #land(
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
      return this.#stored(entry, request, way, {
        hit: false,
        ...why,
        ...(status === undefined ? { stored: entry.kept } : { forwardStatus: status }),
      });
    }
    const { coming } = landed;
    if (!coming.filling.open) return undefined;
    return this.#answers.coming(coming, request, { hit: false, ...why, stored: coming.stored });
  }

  /** One that is stored, as a whole or in slices. */
  #stored(
    entry: Entry,
    request: HttpRequest,
    way: Way,
    outcome: CacheOutcome,
  ): HttpResponse | Promise<HttpResponse> {
    const whole = wholeOf(entry);
    return whole === undefined
      ? this.#answers.stored(entry, request, outcome)
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
    const errand = { request, way, wish: this.#wish(request) };
    const take = async (index: number): Promise<Slice> => {
      const slice = await this.#slices.take(whole, index, errand);
      if (slice === "changed") this.#store.drop(entry);
      return slice;
    };
    let flow: SlicedFlow | undefined;
    const read = (from: number, to: number): SlicedFlow =>
      (flow = new SlicedFlow(whole.sliced.size, from, to, take));
    const response = this.#answers.sliced(entry, request, outcome, read);
    const first = (await flow?.first()) ?? "here";
    if (first === "here" || (first === "fetched" && !outcome.hit)) return response;
    const partial: Why = { forward: "partial" };
    if (first === "fetched")
      return this.#answers.retold(response, entry, {
        ...outcome,
        ...partial,
        hit: false,
        stored: true,
      });
    // Another whole, or no server that has it: as it is now, for this one alone.
    return this.#pass(request, way, partial);
  }

  /** A newer one behind the client's back. */
  #refresh(stored: Entry, request: HttpRequest, way: Way): void {
    if (this.#flights.has(stored.place)) return;
    const flight = this.#take(stored.place, true);
    void this.#fly(flight, request, way, stored, true)
      .then((landed) => {
        if ("response" in landed) discard(landed.response);
        else if (landed.kind === "coming") landed.coming.filling.leaveUnread();
      })
      .catch(() => {
        flight.land({ kind: "nothing", why: "failed" }); // a fault of ours, met again by whoever asks next
        this.#leave(flight);
      });
  }

  /** Ask a server, and let land what others may have; else the response is for who asked alone. */
  async #fly(
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
    const { wall } = this.#parts;
    const before = stored?.fields ?? [];
    const plain = { ...this.#wish(request), behind: flight.behind };
    const key = this.#keys.of(request);
    const index = this.#opening.indexFor(request, key);
    const known = validators(byName(before));
    let asked = wall();
    let response = await settled(
      way.fetch(ownRequest(request, this.#opening.wish(plain, known, index))),
    );
    if (response.status === 304 && response.named === true) {
      if (stored !== undefined && isAbout(byName(before), byName(response.headers))) {
        discard(response);
        this.renewals++;
        const fields = renewed(before, response.headers);
        const when = { asked, came: wall() };
        const entry = this.#keeper.renew(stored, fields, when, askingOf(request, false));
        if (typeof entry !== "string")
          return this.#landed(flight, { kind: "entry", entry, status: 304 });
        // It still holds, but from now on only for who asked.
        const { status, body, sliced } = stored;
        this.#marks.set(this.#keys.of(request), wall() + MARK_MS);
        if (sliced !== undefined) {
          response = await settled(way.fetch(ownRequest(request, plain)));
          return this.#alone(flight, response, entry, "alone");
        }
        const mine = { status, headers: fields, body: bodyOf(body, 0, body.length), named: true };
        return this.#alone(flight, mine, entry, "alone");
      }
      // A 304 to what was not asked: once more, in a way that has no such answer.
      discard(response);
      asked = wall();
      response = await settled(way.fetch(ownRequest(request, plain)));
    }
    if (index !== undefined && (response.status === 206 || response.status === 416)) {
      const opened = await this.#opening.of(
        { response, index, asked },
        key,
        { request, way, wish: plain },
        this.#said(request)?.noStore === true,
      );
      if (opened instanceof Entry)
        return this.#landed(flight, { kind: "entry", entry: opened, status: undefined });
      ({ response, asked } = opened);
      if (opened.aside) {
        if (stored !== undefined) this.#store.drop(stored);
        return this.#alone(flight, response, "no-slices", "alone");
      }
    }
    const failed = response.named !== true || ERRORS.has(response.status);
    if (failed && stored !== undefined && mayBeStale) {
      const { status } = response;
      discard(response);
      this.stale++;
      return this.#landed(flight, { kind: "entry", entry: stored, status });
    }
    if (response.status === 304) {
      discard(response);
      return this.#alone(flight, respond(502, [], "502\n"), "bad-304", "failed");
    }
    const kept = this.#keep(flight, request, response, asked);
    if (typeof kept !== "string") return this.#landed(flight, kept);
    if (response.named !== true) return this.#alone(flight, response, "error", "failed");
    if (!failed) {
      if (stored !== undefined) this.#store.drop(stored);
      this.#marks.set(this.#keys.of(request), wall() + MARK_MS);
    }
    return this.#alone(flight, response, kept, failed ? "failed" : "alone");
  }

  #wish(request: HttpRequest): Wish {
    const { client_control: clientControl } = this.#config;
    return { target: this.#keys.target(request), clientControl, behind: false, validators: [] };
  }

  /** Begin to keep a response, for those who wait; or say why not. */
  #keep(
    flight: Flight | undefined,
    request: HttpRequest,
    response: HttpResponse,
    asked: number,
  ): Landed | string {
    const made = this.#keeper.keep(request, this.#keys.of(request), response, {
      asked,
      came: this.#parts.wall(),
      noStore: this.#said(request)?.noStore === true,
      over: () => flight && this.#leave(flight),
    });
    if (typeof made === "string") return made;
    return made instanceof Entry
      ? { kind: "entry", entry: made, status: undefined }
      : { kind: "coming", coming: made };
  }

  #landed(flight: Flight, landed: Landed): Landed {
    flight.land(landed);
    if (landed.kind === "entry") this.#leave(flight);
    return landed;
  }

  #alone(flight: Flight, response: HttpResponse, detail: string, why: "alone" | "failed"): Raw {
    flight.land({ kind: "nothing", why });
    this.#leave(flight);
    return { response, detail };
  }

  #take(place: string, behind = false): Flight {
    const flight = new Flight(place, behind);
    if (this.#config.collapse > 0 && !this.#flights.has(place)) this.#flights.set(place, flight);
    return flight;
  }

  /**
   * Tell other workers that this one is asking; or, if another is already, wait for what it brings,
   * and let that land.
   */
  async #fromOthers(
    flight: Flight,
    request: HttpRequest,
    locks: Locks,
  ): Promise<Entry | undefined> {
    flight.locked = locks.take(flight.place);
    if (flight.locked) return undefined;
    await locks.gone(flight.place, this.#parts.wall);
    const found = await this.#store.find(this.#keys.of(request), varyField(request));
    if (!(found instanceof Entry)) return undefined;
    if (reuse(found.freshness, undefined, this.#parts.wall()).kind === "ask") return undefined;
    this.hits++;
    this.#landed(flight, { kind: "entry", entry: found, status: undefined });
    return found;
  }

  #leave(flight: Flight): void {
    if (flight.locked) this.#store.locks?.free(flight.place);
    flight.locked = false;
    if (this.#flights.get(flight.place) === flight) this.#flights.delete(flight.place);
  }

  /** Let a request through as it is; what comes of a plain one may be kept. */
  async #pass(request: HttpRequest, way: Way, why: Why): Promise<HttpResponse> {
    this.passed++;
    const asked = this.#parts.wall();
    const plain = request.method === "GET" && !isPartial(request) && why.forward !== "bypass";
    // What others may get is not asked for with what only this client says.
    const asking = plain ? ownFields(request, this.#wish(request)) : request;
    const response = await settled(way.fetch(asking));
    if (plain && response.named === true) {
      const kept = this.#keep(undefined, request, response, asked);
      if (typeof kept === "string")
        return this.#answers.tell(response, { hit: false, ...why, detail: kept });
      this.#marks.delete(this.#keys.of(request));
      const answer = this.#land(kept, request, way, why);
      if (answer !== undefined) return answer;
    }
    return this.#answers.tell(response, { hit: false, ...why });
  }

  /** A request that may change what is there. */
  async #change(request: HttpRequest, way: Way): Promise<HttpResponse> {
    this.passed++;
    const response = await settled(way.fetch(request));
    const { status, headers, named } = response;
    if (!isSafe(request.method) && named === true && status >= 200 && status < 400)
      this.#parts.invalidate([
        this.#keys.url(request),
        ...alsoChanged(request, headers, this.query),
      ]);
    return this.#answers.tell(response, { hit: false, forward: "method" });
  }

  /** What the client says of caching, where that counts. */
  #said({ headers }: HttpRequest) {
    if (!this.#config.client_control) return undefined;
    const said = headers.get("cache-control");
    const pragma = said === null && /\bno-cache\b/i.test(headers.get("pragma") ?? "");
    return parseCacheControl(said ?? (pragma ? "no-cache" : ""));
  }
}
