import type { Clock } from "../../core/clock.ts";
import type { Nodes, Talk } from "./nodes.ts";

/** How often others are told what changed here; nothing is told when nothing did. */
const WINDOW_MS = 200;
/** All that is counted here is told again: words get lost, and some come late to the topic. */
const REPEAT_MS = 5000;
/** Who has said nothing for so long is gone, and what it counted with it. */
const GONE_MS = 3 * REPEAT_MS;
/** Keys that are told; what more there are count here only. */
const MOST_KEYS = 10_000;
/** Others who are listened to. */
const MOST_OTHERS = 256;

export interface SharedCountParts {
  readonly clock: Clock;
  readonly nodes: Nodes;
  /** The same at all who share it. */
  readonly topic: string;
  /** Nobody else's; of letters and digits. */
  readonly who: string;
}

interface Other {
  counts: Map<string, number>;
  heard: number;
}

/**
 * How many of something each key has at the others who count the same: other workers, other nodes.
 * What is told lags by a window, so that at most what comes within one is too much.
 */
export class SharedCount {
  readonly #clock: Clock;
  readonly #who: string;
  readonly #talk: Talk;
  readonly #closed = new AbortController();
  readonly #here = new Map<string, number>();
  readonly #others = new Map<string, Other>();
  #changed = new Set<string>();
  #repeated = 0;
  #telling = false;

  constructor({ clock, nodes, topic, who }: SharedCountParts) {
    this.#clock = clock;
    this.#who = who;
    this.#talk = nodes.join(topic, (text, age) => this.#hear(text, age), "fleeting");
  }

  /** Here it has `count` now. */
  set(key: string, count: number): void {
    if (count > 0) {
      if (!this.#here.has(key) && this.#here.size >= MOST_KEYS) return;
      this.#here.set(key, count);
    } else if (!this.#here.delete(key)) return;
    this.#changed.add(key);
    if (!this.#telling) void this.#tell();
  }

  /** How many it has at all the others. */
  elsewhere(key: string): number {
    const since = this.#clock.now() - GONE_MS;
    let sum = 0;
    for (const [who, { counts, heard }] of this.#others)
      if (heard < since) this.#others.delete(who);
      else sum += counts.get(key) ?? 0;
    return sum;
  }

  close(): void {
    this.#talk.say(JSON.stringify([this.#who, "all", []]), 0);
    this.#closed.abort();
    this.#talk.leave();
  }

  /** For as long as something is counted here. */
  async #tell(): Promise<void> {
    this.#telling = true;
    this.#repeated = this.#clock.now();
    while (this.#changed.size > 0 || this.#here.size > 0) {
      try {
        await this.#clock.sleep(WINDOW_MS, this.#closed.signal);
      } catch {
        return; // closed
      }
      const now = this.#clock.now();
      const all = now - this.#repeated >= REPEAT_MS;
      if (!all && this.#changed.size === 0) continue;
      if (all) this.#repeated = now;
      const told = all
        ? [...this.#here]
        : Array.from(this.#changed, (key) => [key, this.#here.get(key) ?? 0]);
      this.#changed = new Set();
      this.#talk.say(JSON.stringify([this.#who, all ? "all" : "some", told]), 0);
    }
    this.#telling = false;
  }

  #hear(text: string, age: number): void {
    const word = age > GONE_MS ? undefined : read(text);
    if (word === undefined || word.who === this.#who) return;
    const known = this.#others.get(word.who);
    if (known === undefined && this.#others.size >= MOST_OTHERS) return;
    const counts = known === undefined || word.all ? new Map<string, number>() : known.counts;
    for (const [key, n] of word.counts)
      if (n === 0) counts.delete(key);
      else if (counts.has(key) || counts.size < MOST_KEYS) counts.set(key, n);
    this.#others.set(word.who, { counts, heard: this.#clock.now() - age });
  }
}

interface Said {
  readonly who: string;
  readonly all: boolean;
  readonly counts: readonly (readonly [key: string, n: number])[];
}

function read(text: string): Said | undefined {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(said)) return undefined;
  const [who, how, list] = said as unknown[];
  if (typeof who !== "string" || !/^\w{1,32}$/.test(who) || !Array.isArray(list)) return undefined;
  const counts = list.filter(
    (one): one is [string, number] =>
      Array.isArray(one) &&
      typeof one[0] === "string" &&
      Number.isSafeInteger(one[1]) &&
      one[1] >= 0,
  );
  return { who, all: how === "all", counts };
}
