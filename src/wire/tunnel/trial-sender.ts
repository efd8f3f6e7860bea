/** Loads that may be on their way before anything is known: no more than what a quiet path can hold. */
const FIRST = 8;
const MOST = 1 << 17;
/** Those that have come and are not told yet, each way of a tally (see trial-receiver.ts). */
const UNTOLD = 32;
/** Another round that brings so much more is worth a larger window, as in BBR (startup). */
const MORE = 1.25;
const ROUNDS = 3;
/** Enough on the way that none of the path is idle while tallies travel; and while whoever writes them is busy. */
const GAIN = 1.25;
const BUSY_MS = 2;
/** Clocks are read once per turn: a shorter round says nothing of a rate. */
const ROUND_MS = 5;
/** Of one round, more than bad paths lose by themselves: it is us who are too many. */
const FLOOD = 0.1;
const LESS = 0.9;
/** Nobody says that anything came: a few go again, and then none. Milliseconds. */
const QUIET_MS = 500;
const GIVE_UP_MS = 2000;

/**
 * When to send the loads of a trial: as many as the path turns out to carry, since each has to be told
 * to have come before another goes. Whoever is told nothing sends nothing more. All times are
 * milliseconds.
 */
export class TrialSender {
  readonly until: number;
  /** Loads that were sent; the latest has this number. */
  sent = 0;
  /** Mean of the round trips; NaN: none has come back. */
  rtt = Number.NaN;
  #trips = 0;
  #nearest = Infinity;
  #window = FIRST;
  /** The highest that came, and how many did. */
  #came = 0;
  #received = 0;
  #heardAt: number;
  #quietAt: number;
  /** The round at hand: it is over when a load sent after its begin has come. */
  #roundEnd = 0;
  #roundBegin: number;
  #roundCame = 0;
  #roundReceived = 0;
  #best = 0;
  /** Rounds in a row that brought no more; at first the window grows until there are some. */
  #flat = 0;
  #starting = true;

  constructor(now: number, ms: number) {
    this.until = now + ms;
    this.#heardAt = this.#quietAt = this.#roundBegin = now;
  }

  /** Is it over, in time or since nobody hears us? */
  over(now: number): boolean {
    return now >= this.until || now - this.#heardAt > GIVE_UP_MS;
  }

  /** Its number, when another load may go now; 0: not yet. */
  next(now: number): number {
    if (this.over(now)) return 0;
    if (this.sent - this.#came >= this.#window) {
      if (now - this.#quietAt < QUIET_MS) return 0;
      // All of them seem to be lost: begin anew, slowly.
      this.#quietAt = now;
      this.#came = this.sent;
      this.#window = FIRST;
    }
    return ++this.sent;
  }

  /** The other end has got `received` loads, the latest, `highest`, was sent at `time`. */
  told(highest: number, received: number, time: number, now: number): void {
    const took = now - time;
    if (highest > this.sent || !(took >= 0) || highest < this.#came) return;
    this.#heardAt = this.#quietAt = now;
    this.#trips++;
    this.rtt = Number.isNaN(this.rtt) ? took : this.rtt + (took - this.rtt) / this.#trips;
    this.#nearest = Math.min(this.#nearest, took);
    this.#came = highest;
    const more = Math.max(0, received - this.#received);
    this.#received += more;
    if (this.#starting) this.#window = Math.min(MOST, this.#window + more);
    if (highest >= this.#roundEnd && now - this.#roundBegin >= ROUND_MS) this.#round(now);
  }

  #round(now: number): void {
    const received = this.#received - this.#roundReceived;
    const lost = 1 - received / Math.max(1, this.#came - this.#roundCame);
    const rate = received / (now - this.#roundBegin);
    if (lost > FLOOD || (this.#starting && this.#flat >= ROUNDS)) this.#starting = false;
    this.#flat = rate > this.#best * MORE ? 0 : this.#flat + 1;
    // What was too much once is less the next time; what a path loses anyway does not slow us down.
    this.#best = lost > FLOOD ? rate * LESS : Math.max(this.#best, rate);
    if (!this.#starting) {
      const enough = GAIN * this.#best * (this.#nearest + BUSY_MS);
      this.#window = Math.min(MOST, UNTOLD + Math.ceil(enough));
    }
    this.#roundBegin = now;
    this.#roundCame = this.#came;
    this.#roundReceived = this.#received;
    this.#roundEnd = this.sent;
  }
}
