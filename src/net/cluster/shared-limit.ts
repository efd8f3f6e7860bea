import type { Clock } from "../../core/clock.ts";
import type { TokenBuckets } from "../../core/token-bucket.ts";
import type { Nodes, Talk } from "./nodes.ts";

/** How often others are told what was taken here; nothing is told when nothing was. */
const WINDOW_MS = 200;
/** What was taken longer ago has come back since, more or less. */
const STALE_MS = 5000;
/** Keys told in one window; what more there are counts here only. */
const MOST_KEYS = 1000;

export interface SharedLimitParts {
  readonly clock: Clock;
  readonly nodes: Nodes;
  /** The same at all who share it. */
  readonly topic: string;
}

/**
 * A limit that holds for all workers and nodes together, but for what they take within one window:
 * each decides by itself, at once, and tells the others what was taken. While Redis is away each
 * limits what comes to itself. Keys are told as they are: they hold no secrets.
 */
export class SharedLimit {
  readonly #buckets: TokenBuckets;
  readonly #clock: Clock;
  readonly #talk: Talk;
  readonly #closed = new AbortController();
  /** Taken since the others were told. */
  #taken = new Map<string, number>();

  constructor(buckets: TokenBuckets, { clock, nodes, topic }: SharedLimitParts) {
    this.#buckets = buckets;
    this.#clock = clock;
    this.#talk = nodes.join(topic, (text, age) => this.#hear(text, age), "fleeting");
  }

  /** 0 when allowed, and counted; else milliseconds to wait. */
  take(key: string): number {
    const wait = this.#buckets.take(key, this.#clock.now());
    if (wait > 0) return wait;
    const before = this.#taken.get(key);
    if (before === undefined && this.#taken.size >= MOST_KEYS) return 0;
    this.#taken.set(key, (before ?? 0) + 1);
    if (this.#taken.size === 1 && before === undefined) void this.#tellSoon();
    return 0;
  }

  close(): void {
    this.#closed.abort();
    this.#talk.leave();
  }

  async #tellSoon(): Promise<void> {
    try {
      await this.#clock.sleep(WINDOW_MS, this.#closed.signal);
    } catch {
      return; // closed
    }
    const taken = this.#taken;
    this.#taken = new Map();
    this.#talk.say(JSON.stringify([...taken]), 0);
  }

  #hear(text: string, age: number): void {
    if (age > STALE_MS) return;
    const now = this.#clock.now();
    for (const [key, n] of read(text)) this.#buckets.spend(key, n, now);
  }
}

function read(text: string): [key: string, n: number][] {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(said)) return [];
  return said.slice(0, MOST_KEYS).filter((one): one is [string, number] => {
    if (!Array.isArray(one)) return false;
    const [key, n]: unknown[] = one;
    return typeof key === "string" && typeof n === "number" && n > 0 && Number.isFinite(n);
  });
}
