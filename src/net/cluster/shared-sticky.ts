import type { Clock } from "../../core/clock.ts";
import type { Metrics } from "../../observe/metrics.ts";
import { emitStuck, MAX_STUCK, parseStuck, type Stuck } from "../../wire/cluster/sticky-news.ts";
import type { StickyShare } from "../pools/sticky-share.ts";
import { type News, NewsStream } from "./news-stream.ts";
import type { RedisPlace } from "./redis-link.ts";

/** Texts that Redis keeps: 4096 of them, for those who come later. */
const STREAM = { stream: "tern:sticky", field: "stuck", most: 4096 };

/** News are gathered for so long, and then told at once. */
const GATHER_MS = 20;
/** Clients of others that are known here; those heard of longest ago are forgotten first. */
const MAX_KNOWN = 100_000;
/** Clients not told of yet; more are not told of. */
const MAX_UNTOLD = 10_000;
/** What was told is told again when so much of its time is over. */
const AGAIN = 4;

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
  #stream: NewsStream | undefined;
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
    const before = this.#stream?.place;
    if (before?.url === place?.url && before?.ca === place?.ca) return;
    this.#stream?.close();
    this.#stream = undefined;
    this.#known.clear();
    this.#told.clear();
    this.#untold.clear();
    if (place === undefined) return;
    const hear = (news: readonly News[]): void => this.#hear(news);
    this.#stream = new NewsStream(place, STREAM, this.#parts.clock, { hear });
  }

  find(pool: string, client: string): string | undefined {
    if (this.#known.size === 0) return undefined;
    const known = this.#known.get(keyOf(pool, client));
    return known !== undefined && known.until > this.#parts.clock.now() ? known.server : undefined;
  }

  tell(pool: string, client: string, server: string, expire: number): void {
    if (this.#stream === undefined) return;
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
    const stream = this.#stream;
    const all = [...this.#untold.values()];
    this.#untold = new Map();
    let sent = 0;
    try {
      while (stream !== undefined && sent < all.length) {
        const some = all.slice(sent, sent + MAX_STUCK);
        await stream.tell(emitStuck(some), Math.max(...some.map(({ expire }) => expire)));
        sent += some.length;
      }
    } catch {} // no Redis: they are told again when a quarter of their time is over
    this.#count("told", sent);
    this.#count("lost", all.length - sent);
    this.#gathering = this.#untold.size > 0;
    if (this.#gathering) setTimeout(() => void this.#flush(), GATHER_MS);
  }

  /** News of others, and how long ago they were told. */
  #hear(news: readonly News[]): void {
    const now = this.#parts.clock.now();
    let heard = 0;
    for (const { text, age } of news) {
      const all = parseStuck(text) ?? [];
      heard += all.length;
      for (const { pool, client, server, expire } of all) {
        if (age >= expire) continue;
        const key = keyOf(pool, client);
        put(this.#known, key, { server, until: now + expire - age });
        // Where it is now, we have not told.
        if (this.#told.get(key)?.server !== server) this.#told.delete(key);
      }
    }
    this.#count("heard", heard);
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
