import type { Probe } from "./probe.ts";

/** As TCP smooths it (RFC 6298, 2.3). */
const RTT_GAIN = 1 / 8;
const VARIATION_GAIN = 1 / 4;
/** Loss is smoothed over some 8 probes with traffic between them. */
const LOSS_GAIN = 1 / 8;
/** One percent lost counts as much as so many milliseconds more. */
const MS_PER_PERCENT = 10;
/** Counters of datagrams have 32 bits. */
const WRAP = 2 ** 32;

export interface PathRules {
  /** Milliseconds between two questions. */
  readonly interval: number;
  /** Nothing heard for so long: the path is dead. */
  readonly dead: number;
}

/** What is known of the way to the other end. All times are milliseconds. */
export class Path {
  /** Smoothed, and how much it varies; NaN while nothing has come back. */
  rtt = Number.NaN;
  variation = 0;
  /** Part of the datagrams that were lost on their way out and in, smoothed: 0 … 1. */
  lossOut = 0;
  lossIn = 0;
  readonly #rules: PathRules;
  #heard = -Infinity;
  #asked = -Infinity;
  #number = 0;
  /** Counters when the last answer came: those of ours and of theirs. */
  #before: { sent: number; received: number; theirSent: number; theirReceived: number } | undefined;

  constructor(rules: PathRules) {
    this.#rules = rules;
  }

  /** Something authentic came. */
  heard(now: number): void {
    this.#heard = now;
  }
  alive(now: number): boolean {
    return now - this.#heard < this.#rules.dead;
  }
  /** When it is dead unless something comes; -Infinity before anything did. */
  get deadline(): number {
    return this.#heard + this.#rules.dead;
  }
  get lastHeard(): number {
    return this.#heard;
  }

  /** Is it time for a question? */
  due(now: number): boolean {
    return now - this.#asked >= this.#rules.interval;
  }
  /** Its number. */
  ask(now: number): number {
    this.#asked = now;
    return (this.#number = (this.#number + 1) % WRAP);
  }

  /** An answer, and our own counters: datagrams `sent` when it was asked for, `received` until now. */
  answered(answer: Probe, own: { sent: number; received: number }, now: number): void {
    const took = now - answer.time;
    if (!(took >= 0 && took < this.#rules.dead * 4)) return; // not a time of ours
    if (Number.isNaN(this.rtt)) {
      this.rtt = took;
      this.variation = took / 2;
    } else {
      this.variation += VARIATION_GAIN * (Math.abs(took - this.rtt) - this.variation);
      this.rtt += RTT_GAIN * (took - this.rtt);
    }
    const then = this.#before;
    const { sent: theirSent, received: theirReceived } = answer;
    this.#before = { ...own, theirSent, theirReceived };
    if (then === undefined) return;
    this.lossOut = blended(this.lossOut, own.sent - then.sent, theirReceived - then.theirReceived);
    this.lossIn = blended(this.lossIn, theirSent - then.theirSent, own.received - then.received);
  }

  /** How bad it is, in milliseconds; NaN while it is not known. */
  get score(): number {
    return this.rtt + Math.max(this.lossOut, this.lossIn) * 100 * MS_PER_PERCENT;
  }
}

/** Counters that went back are those of a program that began anew. */
function blended(loss: number, sent: number, received: number): number {
  if (sent <= 0 || received < 0 || received > 2 * sent + 16) return loss;
  return loss + LOSS_GAIN * (Math.max(0, 1 - received / sent) - loss);
}
