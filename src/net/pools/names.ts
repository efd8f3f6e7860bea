import { backoff, type BackoffRules } from "../../core/backoff.ts";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../observe/log.ts";
import { type Answer, type Endpoint, endpointsOf, type NamedPlace } from "./endpoints.ts";
import type { Resolver } from "./resolver.ts";

/** However short the TTL: resolvers are not asked more often than this. */
const LEAST_MS = 1000;
/** However long: a change is seen within this time. */
const MOST_MS = 300_000;
const RETRY: BackoffRules = { first: 1000, most: 30_000, calm: 0 };
/** Each wait is so much longer or shorter, so that many workers do not ask in step. */
const JITTER = 0.05;
/** How long a start or a reload waits for first answers. */
const FIRST_ANSWERS_MS = 3000;

export interface NamesParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly resolver: Resolver;
  /** From 0 up to 1. */
  readonly dice: () => number;
}

/** A name that somebody wants to know about. */
interface Followed {
  readonly key: string;
  readonly end: AbortController;
  readonly first: PromiseWithResolvers<void>;
  readonly told: Set<() => void>;
  endpoints: readonly Endpoint[];
  /** Why it could not be looked up the last time; "" when it could. */
  why: string;
}

/** A share in some names. */
export interface NamesShare {
  /** What a name stood for when it last could be found out; nothing before. */
  of(place: NamedPlace): { readonly endpoints: readonly Endpoint[]; readonly why: string };
  close(): void;
}

/** Names and what they stand for, looked up again when their time is over, once for all who follow them. */
export class Names {
  readonly #parts: NamesParts;
  readonly #followed = new Map<string, Followed>();

  constructor(parts: NamesParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when every name was looked up once, or that takes too long: it is followed on.
   * `changed` is called whenever one stands for something else than before, from then on.
   */
  async follow(places: readonly NamedPlace[], changed: () => void): Promise<NamesShare> {
    let open = false;
    const tell = (): void => {
      if (open) changed();
    };
    const all = new Map(places.map((place) => [keyOf(place), this.#join(place, tell)]));
    const { clock } = this.#parts;
    const over = new AbortController();
    if (all.size > 0)
      await Promise.race([
        Promise.all([...all.values()].map(({ first }) => first.promise)),
        clock.sleep(FIRST_ANSWERS_MS, over.signal).catch(() => {}),
      ]);
    over.abort();
    open = true;
    return {
      of: (place) => all.get(keyOf(place)) ?? { endpoints: [], why: "" },
      close: () => {
        open = false;
        for (const one of all.values()) this.#leave(one, tell);
        all.clear();
      },
    };
  }

  #join(place: NamedPlace, tell: () => void): Followed {
    const key = keyOf(place);
    const known = this.#followed.get(key);
    if (known !== undefined) {
      known.told.add(tell);
      return known;
    }
    const one: Followed = {
      key,
      end: new AbortController(),
      first: Promise.withResolvers(),
      told: new Set([tell]),
      endpoints: [],
      why: "not looked up yet",
    };
    this.#followed.set(key, one);
    void this.#keepOn(one, place);
    return one;
  }

  #leave(one: Followed, tell: () => void): void {
    one.told.delete(tell);
    if (one.told.size > 0) return;
    one.end.abort();
    if (this.#followed.get(one.key) === one) this.#followed.delete(one.key);
  }

  async #keepOn(one: Followed, place: NamedPlace): Promise<void> {
    const { clock, dice, log, resolver } = this.#parts;
    const { signal } = one.end;
    let failures = 0;
    while (!signal.aborted) {
      const said = await endpointsOf(place, resolver).catch(words);
      if (signal.aborted) return;
      let wait: number;
      if (typeof said === "string") {
        failures++;
        wait = backoff(failures, RETRY);
        if (failures === 1)
          log.warn("a name cannot be looked up: its last servers stay", {
            name: place.name,
            why: said,
          });
        one.why = said;
      } else {
        if (failures > 0) log.info("a name can be looked up again", { name: place.name });
        failures = 0;
        wait = Math.min(Math.max(said.ttl * 1000, LEAST_MS), MOST_MS);
        one.why = "";
        this.#learn(one, said);
      }
      one.first.resolve();
      wait *= 1 + JITTER * (2 * dice() - 1);
      await clock.sleep(wait, signal).catch(() => {}); // aborted: the loop sees it
    }
  }

  #learn(one: Followed, { endpoints }: Answer): void {
    const same = JSON.stringify(endpoints) === JSON.stringify(one.endpoints);
    one.endpoints = endpoints;
    if (!same) for (const tell of one.told) tell();
  }
}

function keyOf(place: NamedPlace): string {
  return place.kind === "name" ? `${place.name}:${place.port}` : `srv:${place.name}`;
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
