import type { Clock } from "../../core/clock.ts";
import { emitWords, parseWords, type Word } from "../../wire/cluster/words.ts";
import { type News, NewsStream } from "./news-stream.ts";
import type { Talk } from "./nodes.ts";
import type { RedisPlace } from "./redis-link.ts";

/** Texts of a topic that Redis keeps for those who come later, and how long after the last one. */
const MOST_TEXTS = 1024;
const LIFETIME_MS = 24 * 3_600_000;
/** Words told in one text, and their characters. */
const MOST_AT_ONCE = 500;
const LONGEST = 64 * 1024;
/** Words remembered here, told or not, and their characters: Redis may come back without its memory. */
const MOST_KEPT = 10_000;
const MOST_CHARACTERS = 4 * 1024 * 1024;
/** The same of what is fleeting: words that wait, texts in Redis, and for how long. */
const FLEETING = { kept: 16, texts: 64, lifetime: 10_000 } as const;
/** After a failure. */
const AGAIN_MS = 500;
/** Others that are told apart; who was heard longest ago is forgotten first. */
const MOST_OTHERS = 1000;

export interface TalkParts {
  readonly clock: Clock;
  readonly hear: (text: string, age: number) => void;
  /** What cannot be told at once is of no use, and nobody misses it. */
  readonly fleeting: boolean;
  readonly count: (what: "told" | "heard" | "lost", n: number) => void;
  /** So many of our own words, or of others', never arrive. */
  readonly lost: (whose: "ours" | "others", n: number) => void;
}

/** Said at a time of the clock. */
interface Said {
  readonly text: string;
  readonly at: number;
}

/**
 * One topic over one stream of Redis. What is said is numbered: so whoever hears it twice acts once,
 * and knows when something is missing. What could not be told, or went with Redis, is told (again)
 * when it is back.
 */
export class TalkOverRedis implements Talk {
  readonly #topic: string;
  readonly #parts: TalkParts;
  #stream: NewsStream | undefined;
  /** The latest words; the first of them is the `#base`th. */
  #kept: Said[] = [];
  #base = 0;
  #characters = 0;
  /** All before this number are told; the last of them under this id. */
  #told = 0;
  #lastId: string | undefined;
  /** Something was said, or may have to be said again. */
  #wake = Promise.withResolvers<void>();
  #doubtful = false;
  /** Number of the next word of each other. */
  readonly #others = new Map<string, number>();

  constructor(topic: string, parts: TalkParts) {
    this.#topic = topic;
    this.#parts = parts;
  }

  /** From now on over this Redis, or over none. */
  change(place: RedisPlace | undefined): void {
    const before = this.#stream?.place;
    if (before?.url === place?.url && before?.ca === place?.ca) return;
    this.#stream?.close();
    this.#stream = undefined;
    this.#wake.resolve();
    if (place === undefined) return this.#forget();
    this.#told = this.#base; // it is another Redis
    this.#lastId = undefined;
    const name = {
      stream: `tern:talk:${this.#topic}`,
      field: "words",
      most: this.#parts.fleeting ? FLEETING.texts : MOST_TEXTS,
    };
    this.#stream = new NewsStream(place, name, this.#parts.clock, {
      hear: (news) => this.#hear(news),
      gone: () => {
        this.#doubtful = true;
        this.#wake.resolve();
      },
    });
    void this.#run(this.#stream);
  }

  say(text: string, ago: number): void {
    if (this.#stream === undefined) return;
    this.#kept.push({ text, at: this.#parts.clock.now() - ago });
    this.#characters += text.length;
    let dropped = 0;
    const most = this.#parts.fleeting ? FLEETING.kept : MOST_KEPT;
    while (this.#kept.length - dropped > most || this.#characters > MOST_CHARACTERS)
      this.#characters -= this.#kept[dropped++]?.text.length ?? 0;
    if (dropped > 0) this.#drop(dropped);
    this.#wake.resolve();
  }

  leave(): void {
    this.change(undefined);
  }

  #forget(): void {
    this.#base += this.#kept.length;
    this.#kept = [];
    this.#characters = 0;
  }

  #drop(n: number): void {
    this.#kept.splice(0, n);
    this.#base += n;
    const untold = this.#base - this.#told;
    if (untold <= 0) return;
    this.#told = this.#base;
    if (this.#parts.fleeting) return;
    this.#parts.count("lost", untold);
    this.#parts.lost("ours", untold);
  }

  async #run(stream: NewsStream): Promise<void> {
    const { clock } = this.#parts;
    while (this.#stream === stream) {
      await stream.ready();
      this.#wake = Promise.withResolvers();
      try {
        if (this.#doubtful) await this.#remind(stream);
        while (this.#stream === stream && this.#told < this.#base + this.#kept.length)
          await this.#tell(stream);
        if (this.#doubtful || this.#stream !== stream) continue;
        await this.#wake.promise;
      } catch {
        await clock.sleep(AGAIN_MS, NEVER);
      }
    }
  }

  /** Redis came back: is what was told last still there? */
  async #remind(stream: NewsStream): Promise<void> {
    const { clock } = this.#parts;
    if (this.#parts.fleeting) this.#told = this.#base + this.#kept.length;
    else if (this.#lastId !== undefined && !(await stream.holds(this.#lastId))) {
      const recent = clock.now() - LIFETIME_MS;
      const from = this.#kept.findIndex(({ at }) => at >= recent);
      this.#told = this.#base + (from < 0 ? this.#kept.length : from);
    }
    this.#doubtful = false;
  }

  async #tell(stream: NewsStream): Promise<void> {
    const now = this.#parts.clock.now();
    const first = this.#told;
    const words: Word[] = [];
    let characters = 0;
    for (let i = first - this.#base; i < this.#kept.length && words.length < MOST_AT_ONCE; i++) {
      const { text, at } = this.#kept[i] as Said; // within its bounds
      characters += text.length;
      if (words.length > 0 && characters > LONGEST) break;
      words.push({ text, ago: now - at });
    }
    const lifetime = this.#parts.fleeting ? FLEETING.lifetime : LIFETIME_MS;
    const id = await stream.tell(emitWords({ first, words }), lifetime);
    if (this.#stream !== stream) return;
    this.#lastId = id;
    this.#told = Math.max(this.#told, first + words.length); // some may be dropped by now
    this.#parts.count("told", words.length);
  }

  #hear(news: readonly News[]): void {
    for (const { from, text, age } of news) {
      const said = parseWords(text);
      if (said === undefined) continue;
      const { first, words } = said;
      const next = this.#others.get(from) ?? first;
      if (first > next && !this.#parts.fleeting) {
        this.#parts.count("lost", first - next);
        this.#parts.lost("others", first - next);
      }
      const unheard = words.slice(Math.max(0, next - first));
      this.#others.delete(from); // as the latest
      this.#others.set(from, Math.max(next, first + words.length));
      if (this.#others.size > MOST_OTHERS)
        for (const oldest of this.#others.keys()) {
          this.#others.delete(oldest);
          break;
        }
      for (const word of unheard) this.#parts.hear(word.text, word.ago + age);
      this.#parts.count("heard", unheard.length);
    }
  }
}

/** A pause of this length is short enough to be waited for. */
const NEVER = new AbortController().signal;
