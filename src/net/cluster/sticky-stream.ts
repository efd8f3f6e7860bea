import { randomBytes } from "node:crypto";

import type { Clock } from "../../core/clock.ts";
import { emitStuck, parseStuck, type Stuck } from "../../wire/cluster/sticky-news.ts";
import { type Command, RedisLink, type RedisPlace, Refused } from "./redis-link.ts";

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

/** What another process has told, so many milliseconds ago. */
export interface News {
  readonly stuck: Stuck;
  readonly age: number;
}

/** One Redis: a connection to tell, and one that waits to be told. */
export class StickyStream {
  readonly place: RedisPlace;
  readonly #clock: Clock;
  readonly #hear: (news: readonly News[]) => void;
  readonly #out: RedisLink;
  readonly #in: RedisLink;
  readonly #end = new AbortController();
  /** Who we are, so that we do not hear ourselves. */
  readonly #self = randomBytes(9).toString("base64url");
  /** What was read last. */
  #last = "0-0";

  constructor(place: RedisPlace, clock: Clock, hear: (news: readonly News[]) => void) {
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
    const news: News[] = [];
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

/** The answer to TIME: seconds and microseconds, as texts. */
function milliseconds(time: unknown): number | undefined {
  if (!Array.isArray(time)) return undefined;
  const ms = Number(time[0]) * 1000 + Number(time[1]) / 1000;
  return Number.isFinite(ms) ? ms : undefined;
}
