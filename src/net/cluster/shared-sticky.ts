import { randomBytes } from "node:crypto";

import type { Clock } from "../../core/clock.ts";
import type { Metrics } from "../../observe/metrics.ts";
import { emitStuck, MAX_STUCK, parseStuck, type Stuck } from "../../wire/cluster/sticky-news.ts";
import type { StickyShare } from "../pools/sticky-share.ts";
import { type Command, RedisLink, type RedisPlace, Refused } from "./redis-link.ts";

/** News are gathered for so long, and then told at once. */
const GATHER_MS = 20;
/** Clients of others that are known here; those heard of longest ago are forgotten first. */
const MAX_KNOWN = 100_000;
/** Clients not told of yet; more are not told of. */
const MAX_UNTOLD = 10_000;
/** What was told is told again when so much of its time is over. */
const AGAIN = 4;
/** Texts that Redis keeps, for those who come later. */
const MAX_KEPT = 4096;
/** Texts taken in one reading. */
const TAKEN = 16;
/** A reading waits this long for something to read; a bit more for its answer. */
const WAIT_MS = 5000;
const LATE_MS = 1000;
/** After an answer that was none. */
const AGAIN_MS = 1000;

const STREAM = "tern:sticky";
const ID = /^(\d{1,15})-\d{1,10}$/;

interface Known {
  readonly server: string;
  /** Of the clock. */
  readonly until: number;
}

/** Told by us and not yet worth telling again. */
interface Told {
  readonly server: string;
  readonly until: number;
}

export interface StickyParts {
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/**
 * Which client is with which server, told to all processes of all nodes over one stream in Redis.
 * Whoever asks is answered from memory: what has not come yet is not known, and nobody waits.
 */
export class SharedSticky implements StickyShare {
  readonly #parts: StickyParts;
  /** What others have told, by pool and client; in the order of telling. */
  readonly #known = new Map<string, Known>();
  readonly #told = new Map<string, Told>();
  #untold = new Map<string, Stuck>();
  #reader: Reader | undefined;
  #gathering = false;
  readonly #count: (what: "told" | "heard" | "lost", n: number) => void;

  constructor(parts: StickyParts) {
    this.#parts = parts;
    const help = "Clients and their servers, told to and heard from other processes over Redis.";
    const counter = (what: string) =>
      parts.metrics.counter("tern_cluster_sticky_total", help, { what });
    const counters = { told: counter("told"), heard: counter("heard"), lost: counter("lost") };
    this.#count = (what, n) => counters[what].add(n);
  }

  /** From now on over this Redis, or over none. */
  change(place: RedisPlace | undefined): void {
    const before = this.#reader?.place;
    if (before?.url === place?.url && before?.ca === place?.ca) return;
    this.#reader?.close();
    this.#reader = undefined;
    this.#known.clear();
    this.#told.clear();
    this.#untold.clear();
    if (place === undefined) return;
    this.#reader = new Reader(place, this.#parts.clock, (all) => this.#hear(all));
  }

  find(pool: string, client: string): string | undefined {
    if (this.#known.size === 0) return undefined;
    const known = this.#known.get(keyOf(pool, client));
    return known !== undefined && known.until > this.#parts.clock.now() ? known.server : undefined;
  }

  tell(pool: string, client: string, server: string, expire: number): void {
    if (this.#reader === undefined) return;
    const key = keyOf(pool, client);
    const now = this.#parts.clock.now();
    const told = this.#told.get(key);
    if (told?.server === server && told.until > now) return;
    if (this.#untold.size >= MAX_UNTOLD && !this.#untold.has(key)) return this.#count("lost", 1);
    this.#untold.set(key, { pool, client, server, expire });
    put(this.#told, key, { server, until: now + expire / AGAIN });
    if (this.#gathering) return;
    this.#gathering = true;
    setTimeout(() => void this.#flush(), GATHER_MS);
  }

  close(): void {
    this.change(undefined);
  }

  async #flush(): Promise<void> {
    const reader = this.#reader;
    const all = [...this.#untold.values()];
    this.#untold = new Map();
    let sent = 0;
    try {
      while (reader !== undefined && sent < all.length) {
        const some = all.slice(sent, sent + MAX_STUCK);
        await reader.tell(some);
        sent += some.length;
      }
    } catch {} // no Redis: they are told again when a quarter of their time is over
    this.#count("told", sent);
    this.#count("lost", all.length - sent);
    this.#gathering = this.#untold.size > 0;
    if (this.#gathering) setTimeout(() => void this.#flush(), GATHER_MS);
  }

  /** News of others, and how long ago they were told. */
  #hear(news: readonly { readonly stuck: Stuck; readonly age: number }[]): void {
    const now = this.#parts.clock.now();
    for (const { stuck, age } of news) {
      const { pool, client, server, expire } = stuck;
      if (age >= expire) continue;
      const key = keyOf(pool, client);
      put(this.#known, key, { server, until: now + expire - age });
      // Where it is now, we have not told.
      if (this.#told.get(key)?.server !== server) this.#told.delete(key);
    }
    this.#count("heard", news.length);
  }
}

/** One Redis: a connection to tell, and one that waits to be told. */
class Reader {
  readonly place: RedisPlace;
  readonly #clock: Clock;
  readonly #hear: (news: { stuck: Stuck; age: number }[]) => void;
  readonly #out: RedisLink;
  readonly #in: RedisLink;
  readonly #end = new AbortController();
  /** Who we are, so that we do not hear ourselves. */
  readonly #self = randomBytes(9).toString("base64url");
  /** What was read last. */
  #last = "0-0";

  constructor(
    place: RedisPlace,
    clock: Clock,
    hear: (news: { stuck: Stuck; age: number }[]) => void,
  ) {
    this.place = place;
    this.#clock = clock;
    this.#hear = hear;
    this.#out = new RedisLink(place, clock);
    this.#in = new RedisLink(place, clock);
    void this.#out.run();
    void this.#in.run();
    void this.#read();
  }

  async tell(some: readonly Stuck[]): Promise<void> {
    const longest = Math.max(...some.map(({ expire }) => expire));
    const add: Command = [
      ...(["XADD", STREAM, "MAXLEN", "~", String(MAX_KEPT), "*"] as const),
      "from",
      this.#self,
      "stuck",
      emitStuck(some),
    ];
    // Gone when nobody tells anything any more: later, never sooner; "NX" is for the first time.
    const last = (which: "GT" | "NX"): Command => [
      ...(["PEXPIRE", STREAM, String(Math.ceil(longest))] as const),
      which,
    ];
    const [added] = await this.#out.ask([add, last("GT"), last("NX")]);
    if (added instanceof Refused) throw added;
  }

  close(): void {
    this.#end.abort();
    this.#out.close();
    this.#in.close();
  }

  async #read(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      await this.#in.ready();
      try {
        const wait = String(WAIT_MS);
        const read: Command = [
          ...(["XREAD", "COUNT", String(TAKEN), "BLOCK", wait, "STREAMS", STREAM] as const),
          this.#last,
        ];
        const [answer, time] = await this.#in.ask([read, ["TIME"]], WAIT_MS + LATE_MS);
        if (answer instanceof Refused) throw answer;
        if (signal.aborted) return;
        this.#take(answer, milliseconds(time));
      } catch {
        this.#last = "0-0"; // what comes back may be another Redis: all of it is news
        await this.#clock.sleep(AGAIN_MS, signal).catch(() => {}); // closed
      }
    }
  }

  /** `[[id, [field, value, …]], …]` under the stream's name, or nothing. */
  #take(answer: unknown, now: number | undefined): void {
    const texts: unknown = Object(answer)[STREAM];
    if (!Array.isArray(texts) || now === undefined) return;
    const news: { stuck: Stuck; age: number }[] = [];
    for (const [id, fields] of texts.filter(Array.isArray)) {
      const [, at] = ID.exec(String(id)) ?? [];
      if (at === undefined) continue;
      this.#last = String(id);
      if (!Array.isArray(fields) || fields[0] !== "from" || fields[1] === this.#self) continue;
      const all = fields[2] === "stuck" ? parseStuck(String(fields[3])) : undefined;
      // Both times are of Redis's clock.
      const age = Math.max(0, now - Number(at));
      for (const stuck of all ?? []) news.push({ stuck, age });
    }
    if (news.length > 0) this.#hear(news);
  }
}

/** As the newest; whoever is oldest makes room. */
function put<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MAX_KNOWN) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

function keyOf(pool: string, client: string): string {
  return `${pool}\n${client}`;
}

/** The answer to TIME: seconds and microseconds, as texts. */
function milliseconds(time: unknown): number | undefined {
  if (!Array.isArray(time)) return undefined;
  const ms = Number(time[0]) * 1000 + Number(time[1]) / 1000;
  return Number.isFinite(ms) ? ms : undefined;
}
