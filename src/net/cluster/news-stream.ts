import { randomBytes } from "node:crypto";

import type { Clock } from "../../core/clock.ts";
import { type Command, RedisLink, type RedisPlace, Refused } from "./redis-link.ts";

/** Texts taken in one reading. */
const TAKEN = 16;
/** A reading waits this long for something to read; a bit more for its answer. */
const WAIT_MS = 5000;
const LATE_MS = 1000;
/** After an answer that was none. */
const AGAIN_MS = 1000;

const ID = /^(\d{1,15})-\d{1,10}$/;

/** Which stream, and what its entries hold beside who they are from. */
export interface StreamName {
  readonly stream: string;
  readonly field: string;
  /** Entries that Redis keeps, for those who come later. */
  readonly most: number;
}

/** What another process has told, so many milliseconds ago. */
export interface News {
  readonly from: string;
  readonly text: string;
  readonly age: number;
}

/** Told in the order in which it was told. */
export interface Listener {
  hear(news: readonly News[]): void;
  /** Redis does not answer. What it held may be gone when it does; all it holds then is told once more. */
  gone?(): void;
}

/** A stream in one Redis: a connection to tell, and one that waits to be told. */
export class NewsStream {
  readonly place: RedisPlace;
  readonly #name: StreamName;
  readonly #clock: Clock;
  readonly #listener: Listener;
  readonly #out: RedisLink;
  readonly #in: RedisLink;
  readonly #end = new AbortController();
  /** Who we are, so that we do not hear ourselves. */
  readonly #self = randomBytes(9).toString("base64url");
  /** What was read last. */
  #last = "0-0";

  constructor(place: RedisPlace, name: StreamName, clock: Clock, listener: Listener) {
    this.place = place;
    this.#name = name;
    this.#clock = clock;
    this.#listener = listener;
    this.#out = new RedisLink(place, clock);
    this.#in = new RedisLink(place, clock);
    void this.#out.run();
    void this.#in.run();
    void this.#read();
  }

  /** Resolves when it can be told, or never will be. */
  async ready(): Promise<void> {
    await this.#out.ready();
  }

  /**
   * The id of what was told. The whole stream goes when nobody tells anything for the longest
   * `lifetime` (ms) of what is in it. Rejects when there is no Redis.
   */
  async tell(text: string, lifetime: number): Promise<string> {
    const { stream, field, most } = this.#name;
    const add: Command = [
      ...(["XADD", stream, "MAXLEN", "~", String(most), "*"] as const),
      ...(["from", this.#self, field, text] as const),
    ];
    // Gone when nobody tells anything any more: later, never sooner; "NX" is for the first time.
    const last = (which: "GT" | "NX"): Command => [
      ...(["PEXPIRE", stream, String(Math.ceil(lifetime))] as const),
      which,
    ];
    const [added] = await this.#out.ask([add, last("GT"), last("NX")]);
    if (added instanceof Refused) throw added;
    return String(added);
  }

  /** Is what was told under this id still there? Rejects when there is no Redis. */
  async holds(id: string): Promise<boolean> {
    const [found] = await this.#out.ask([["XRANGE", this.#name.stream, id, id]]);
    if (found instanceof Refused) throw found;
    return Array.isArray(found) && found.length > 0;
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
      if (signal.aborted) return;
      try {
        const wait = String(WAIT_MS);
        const { stream } = this.#name;
        const read: Command = [
          ...(["XREAD", "COUNT", String(TAKEN), "BLOCK", wait, "STREAMS", stream] as const),
          this.#last,
        ];
        const [answer, time] = await this.#in.ask([read, ["TIME"]], WAIT_MS + LATE_MS);
        if (answer instanceof Refused) throw answer;
        if (signal.aborted) return;
        this.#take(answer, milliseconds(time));
      } catch {
        if (signal.aborted) return;
        this.#listener.gone?.();
        this.#last = "0-0"; // what comes back may be another Redis: all of it is news
        await this.#clock.sleep(AGAIN_MS, signal).catch(() => {}); // closed
      }
    }
  }

  /** `[[id, [field, value, …]], …]` under the stream's name, or nothing. */
  #take(answer: unknown, now: number | undefined): void {
    const { stream, field } = this.#name;
    const texts: unknown = Object(answer)[stream];
    if (!Array.isArray(texts) || now === undefined) return;
    const news: News[] = [];
    for (const [id, fields] of texts.filter(Array.isArray)) {
      const [, at] = ID.exec(String(id)) ?? [];
      if (at === undefined) continue;
      this.#last = String(id);
      if (!Array.isArray(fields) || fields[0] !== "from" || fields[1] === this.#self) continue;
      if (fields[2] !== field) continue;
      // Both times are of Redis's clock.
      const age = Math.max(0, now - Number(at));
      news.push({ from: String(fields[1]), text: String(fields[3]), age });
    }
    if (news.length > 0) this.#listener.hear(news);
  }
}

/** The answer to TIME: seconds and microseconds, as texts. */
function milliseconds(time: unknown): number | undefined {
  if (!Array.isArray(time)) return undefined;
  const ms = Number(time[0]) * 1000 + Number(time[1]) / 1000;
  return Number.isFinite(ms) ? ms : undefined;
}
