/** The cache of a proxy: which requests are answered from what is stored, and what is stored. */
import { ageAt, reuse } from "../../../wire/http/caching/reuse.ts";
import { varyKey } from "../../../wire/http/caching/vary.ts";
import { type HttpRequest, type HttpResponse, settled } from "../../../wire/http/message.ts";
import { Answers, discard, type Why } from "./answers.ts";
import {
  alsoChanged,
  isFar,
  isPartial,
  isSafe,
  Keys,
  saidOf,
  varyField,
  whyAside,
} from "./asking.ts";
import { Bringing } from "./bringing.ts";
import type { CacheParts } from "./cache-parts.ts";
import { type CacheConfig, rulesOf } from "./config.ts";
import type { Found } from "./disk/disk.ts";
import type { Locks } from "./disk/locks.ts";
import { Entry, placeOf } from "./entry.ts";
import type { Flight } from "./flight.ts";
import { Flights } from "./flights.ts";
import { Keeper } from "./keeper.ts";
import { Marks } from "./marks.ts";
import { ownFields } from "./own-request.ts";
import { type Purged, PurgeRequests } from "./purge-request.ts";
import { Serving } from "./serving.ts";
import { Opening } from "./slices/opening.ts";
import { Slices } from "./slices/slices.ts";
import type { Store } from "./store.ts";
import type { Way } from "./way.ts";

/** Times a request waits for others before it goes by itself. */
const MOST_WAITS = 2;

/** One cache of a proxy, in one process. */
export class Cache {
  readonly #config: CacheConfig;
  readonly #parts: CacheParts;
  readonly #store: Store;
  readonly #keys: Keys;
  readonly #purges: PurgeRequests;
  readonly #answers: Answers;
  readonly #slices: Slices;
  readonly #opening: Opening;
  readonly #marks = new Marks();
  readonly #flights: Flights;
  readonly #bringing: Bringing;
  readonly #serving: Serving;
  hits = 0;
  misses = 0;
  collapsed = 0;
  passed = 0;
  /** Stale ones that were used while a newer one was fetched. */
  #meanwhile = 0;

  constructor(config: CacheConfig, parts: CacheParts) {
    this.#config = config;
    this.#parts = parts;
    this.#store = parts.store;
    this.#answers = new Answers(parts.wall, parts.boundary);
    this.#keys = new Keys(config, parts.trusted);
    this.#purges = new PurgeRequests(config.purge);
    const { store, wall } = parts;
    const rules = rulesOf(config);
    const keeper = new Keeper(config, rules, store);
    this.#slices = new Slices({ store, rules, wall });
    this.#opening = new Opening({ size: config.slice, slices: this.#slices, keeper, wall });
    this.#flights = new Flights(config.collapse, store);
    this.#bringing = new Bringing({
      config,
      store,
      wall,
      keys: this.#keys,
      keeper,
      opening: this.#opening,
      marks: this.#marks,
      flights: this.#flights,
    });
    this.#serving = new Serving({
      store,
      answers: this.#answers,
      slices: this.#slices,
      wish: (request, way) => this.#bringing.wish(request, way),
      pass: (request, way, why) => this.#pass(request, way, why),
    });
  }

  get query(): CacheConfig["query"] {
    return this.#config.query;
  }
  get stored(): number {
    return this.#bringing.stored;
  }
  get renewals(): number {
    return this.#bringing.renewals;
  }
  get stale(): number {
    return this.#meanwhile + this.#bringing.stale;
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
    return this.#read(request, this.#keys.of(request, way), way, 0);
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
    const said = saidOf(request, this.#config);
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
      return this.#serving.stored(found, request, way, { hit: true });
    }
    if (use.kind === "background") {
      this.#meanwhile++;
      this.#refresh(found, request, way);
      return this.#serving.stored(found, request, way, { hit: true });
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
      const landed = await waiting.wait(collapse, () => this.#flights.leave(waiting));
      const answer = this.#serving.land(landed, request, way, { ...why, collapsed: true });
      if (answer !== undefined) {
        this.collapsed++;
        return answer;
      }
      const alone = landed.kind === "nothing" && landed.why !== "alone";
      return this.#read(request, this.#keys.of(request, way), way, alone ? MOST_WAITS : waits + 1);
    }
    const flight = this.#flights.take(place);
    try {
      const { locks } = this.#store;
      if (locks !== undefined && stored === undefined && waits === 0) {
        const found = await this.#fromOthers(flight, request, way, locks);
        if (found !== undefined)
          return await this.#serving.stored(found, request, way, { hit: true });
      }
      this.misses++;
      const landed = await this.#bringing.bring(flight, request, way, stored, mayBeStale);
      if ("response" in landed)
        return this.#answers.raw(landed.response, request, why, landed.detail);
      const answer = this.#serving.land(landed, request, way, why);
      if (answer !== undefined) return await answer;
    } catch (error) {
      this.#flights.nothing(flight, "failed");
      throw error;
    }
    // It turned out too large within this very turn, and went by: ask again for this one alone.
    return this.#pass(request, way, why);
  }

  /** A newer one behind the client's back. */
  #refresh(stored: Entry, request: HttpRequest, way: Way): void {
    if (this.#flights.has(stored.place)) return;
    const flight = this.#flights.take(stored.place, true);
    void this.#bringing
      .bring(flight, request, way, stored, true)
      .then((landed) => {
        if ("response" in landed) discard(landed.response);
        else if (landed.kind === "coming") landed.coming.filling.leaveUnread();
      })
      .catch(() => this.#flights.nothing(flight, "failed")); // a fault of ours, met again by whoever asks next
  }

  /**
   * Tell other workers that this one is asking; or, if another is already, wait for what it brings,
   * and let that land.
   */
  async #fromOthers(
    flight: Flight,
    request: HttpRequest,
    way: Way,
    locks: Locks,
  ): Promise<Entry | undefined> {
    flight.locked = locks.take(flight.place);
    if (flight.locked) return undefined;
    await locks.gone(flight.place, this.#parts.wall);
    const found = await this.#store.find(this.#keys.of(request, way), varyField(request));
    if (!(found instanceof Entry)) return undefined;
    if (reuse(found.freshness, undefined, this.#parts.wall()).kind === "ask") return undefined;
    this.hits++;
    this.#flights.landed(flight, { kind: "entry", entry: found, status: undefined });
    return found;
  }

  /** Let a request through as it is; what comes of a plain one may be kept. */
  async #pass(request: HttpRequest, way: Way, why: Why): Promise<HttpResponse> {
    this.passed++;
    const asked = this.#parts.wall();
    const plain = request.method === "GET" && !isPartial(request) && why.forward !== "bypass";
    // What others may get is not asked for with what only this client says.
    const asking = plain ? ownFields(request, this.#bringing.wish(request, way)) : request;
    const response = await settled(way.fetch(asking));
    if (plain && response.named === true) {
      const kept = this.#bringing.keep(undefined, request, way, response, asked);
      if (typeof kept === "string")
        return this.#answers.tell(response, { hit: false, ...why, detail: kept });
      this.#marks.delete(this.#keys.of(request, way));
      const answer = this.#serving.land(kept, request, way, why);
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
}
