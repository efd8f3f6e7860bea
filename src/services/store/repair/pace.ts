/** No faster than so many bytes a second, whoever reads them. */
import type { Member } from "../members/member.ts";

/** Waits; rejects when what it is for has ended. */
export type Sleep = (ms: number) => Promise<void>;

/** What was not used is kept for no longer: a pause is not made up for by a burst. Milliseconds. */
const SLACK_MS = 100;

export class Pace {
  readonly #msPerByte: number;
  readonly #now: () => number;
  readonly #sleep: Sleep;
  /** When all that was taken so far is paid for. */
  #paid = -Infinity;
  #taken = 0;

  /** `rate` in bytes a second; Infinity: as fast as it goes. `now` in milliseconds. */
  constructor(rate: number, now: () => number, sleep: Sleep) {
    this.#msPerByte = 1000 / rate;
    this.#now = now;
    this.#sleep = sleep;
  }

  /** Bytes taken so far. */
  get taken(): number {
    return this.#taken;
  }

  /** Resolves when so many bytes may be followed by more. */
  async take(bytes: number): Promise<void> {
    this.#taken += bytes;
    const now = this.#now();
    this.#paid = Math.max(this.#paid, now - SLACK_MS) + bytes * this.#msPerByte;
    if (this.#paid > now) await this.#sleep(this.#paid - now);
  }
}

/** A member that is read at a pace. */
export function paced(member: Member, pace: Pace): Pick<Member, "read"> {
  return {
    async read(at, from, to, signal) {
      const reading = await member.read(at, from, to, signal);
      if (reading === undefined) return undefined;
      return {
        size: reading.size,
        mtime: reading.mtime,
        async next() {
          const bytes = await reading.next();
          if (bytes !== undefined) await pace.take(bytes.length);
          return bytes;
        },
        close: () => reading.close(),
      };
    },
  };
}
