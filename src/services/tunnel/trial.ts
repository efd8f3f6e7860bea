import { TrialReceiver } from "../../wire/tunnel/trial-receiver.ts";
import { TrialSender } from "../../wire/tunnel/trial-sender.ts";
import {
  emitTrial,
  parseTrial,
  TRIAL,
  TRIAL_KIND,
  type TrialMessage,
  trialMessage,
} from "../../wire/tunnel/trial.ts";
import { HEADER, type Link } from "./link.ts";
import type { Sink } from "./sink.ts";

/** No run lasts longer, whatever the other end wants. */
export const LONGEST_MS = 10_000;
/** What the other end wants is done at most so often. */
const PLEASE_EACH_MS = 1000;
/** What is not answered is said again after, and given up after. */
const AGAIN_MS = 100;
const PATIENCE_MS = 2000;
/** Loads in a row before the neighbours in the event loop get their turn. */
const BURST = 256;
/** Times that a run is said to have ended: nobody says that he has heard it. */
const ENDS = 3;

/** One direction of a trial. */
export interface Throughput {
  /** Of packets inside. */
  readonly bitsPerSecond: number;
  /** Part of the loads that did not come. */
  readonly lost: number;
  /** Round trip while the path was full; null: not known. */
  readonly rttMs: number | null;
}

export interface TrialState {
  readonly phase: "none" | "out" | "in" | "done" | "failed";
  /** Bytes of each packet. */
  readonly length: number;
  readonly out: Throughput | null;
  readonly in: Throughput | null;
}

const NONE: TrialState = { phase: "none", length: 0, out: null, in: null };

/**
 * How much goes through the tunnel of one link, both ways, by loads of its own inside the seal. The other
 * end may want the same of us: it gets no load that it has not told to have room for, for ten seconds at
 * most.
 */
export class Trial {
  readonly #link: Link;
  readonly #message = trialMessage();
  #state: TrialState = NONE;
  #run = 0;
  #ms = 0;
  #length = 0;
  #saidAt = -Infinity;
  #since = 0;
  /** Our loads, and how often their end was said; `ours`: for a trial of ours. */
  #sending:
    { sender: TrialSender; run: number; ours: boolean; length: number; ends: number } | undefined;
  #receiving: TrialReceiver | undefined;
  #pleaseAt = -Infinity;

  constructor(link: Link) {
    this.#link = link;
  }

  get state(): TrialState {
    const state = this.#state;
    const coming = state.phase === "in" ? this.#receiving : undefined;
    if (coming?.run !== this.#run) return state;
    return { ...state, in: throughput(coming, 0) };
  }
  get isRunning(): boolean {
    return this.#state.phase === "out" || this.#state.phase === "in";
  }

  /** Try both ways, one after another, for `ms` each, by packets of `length` bytes. `run`: a dice's number. */
  begin(run: number, ms: number, length: number, now: number): void {
    this.#run = run;
    this.#ms = Math.min(ms, LONGEST_MS);
    this.#length = length;
    this.#since = now;
    const sender = new TrialSender(now, this.#ms);
    this.#sending = { sender, run, ours: true, length, ends: 0 };
    this.#state = { phase: "out", length, out: null, in: null };
    this.#pump();
  }

  /** The link is to carry nothing. */
  abort(): void {
    if (this.isRunning) this.#fail();
    this.#sending = undefined;
    this.#receiving = undefined;
  }

  /** A message of `length` bytes is at the sink's `next`. False: it is no such message. */
  take({ block, next }: Sink, length: number): boolean {
    const message = this.#message;
    if (!parseTrial(block, next, length, message)) return false;
    const { now } = this.#link.hub;
    switch (message.kind) {
      case TRIAL_KIND.load:
        this.#load(message, length, now);
        break;
      case TRIAL_KIND.tally:
        this.#tally(message, now);
        break;
      case TRIAL_KIND.please:
        this.#please(message, length, now);
        break;
      case TRIAL_KIND.end:
        this.#end(message);
    }
    return true;
  }

  /** What time brings. */
  tick(now: number): void {
    if (this.#sending === undefined && this.#receiving === undefined && !this.isRunning) return;
    if (this.#receiving?.untold === true) this.#sayTally(this.#receiving, false);
    this.#pump();
    const sending = this.#sending;
    if (sending?.sender.over(now) === true && now - this.#saidAt >= AGAIN_MS) {
      this.#saidAt = now;
      if (++sending.ends > ENDS) this.#sending = undefined;
      else {
        const { sent, rtt } = sending.sender;
        const rate = Number.isNaN(rtt) ? 0 : rtt;
        const ms = 0;
        this.#say({ kind: TRIAL_KIND.end, run: sending.run, number: sent, ms, rate }, TRIAL);
      }
      if (this.#sending === undefined && this.#state.phase === "out") this.#fail();
    }
    this.#wait(now);
    if (this.#receiving !== undefined && now - this.#receiving.heardAt > PATIENCE_MS)
      this.#receiving = undefined;
  }

  /** It is the other end's turn: ask for it until it comes, and not for ever. */
  #wait(now: number): void {
    if (this.#state.phase !== "in") return;
    const begun = this.#receiving?.run === this.#run;
    if (now - this.#since > PATIENCE_MS + (begun ? this.#ms : 0)) return this.#fail();
    if (begun || now - this.#saidAt < AGAIN_MS) return;
    this.#saidAt = now;
    const please = { kind: TRIAL_KIND.please, run: this.#run, number: 0, ms: this.#ms, rate: 0 };
    this.#say(please, this.#length);
  }

  #fail(): void {
    this.#state = { ...this.#state, phase: "failed" };
  }

  #load({ run, number, ms, time }: TrialMessage, length: number, now: number): void {
    if (this.#receiving?.run !== run)
      this.#receiving = new TrialReceiver(run, Math.min(ms, LONGEST_MS), now);
    const receiving = this.#receiving;
    if (receiving.take(number, length, time, now)) this.#sayTally(receiving, false);
  }

  #tally(message: TrialMessage, now: number): void {
    const { run, number, ms, time, last } = message;
    const sending = this.#sending;
    if (sending?.run !== run) return;
    const { sender } = sending;
    if (!last) sender.told(ms, number, time, now);
    if (sending.ours) this.#state = { ...this.#state, out: throughput(message, sender.rtt) };
    if (!last) return this.#pump();
    this.#sending = undefined;
    if (this.#state.phase !== "out") return;
    this.#state = { ...this.#state, phase: "in" };
    this.#since = now;
    this.#saidAt = -Infinity;
    this.#run = (this.#run + 1) >>> 0;
  }

  #please({ run, ms }: TrialMessage, length: number, now: number): void {
    // One at a time, and not for as often as somebody asks.
    if (this.#sending !== undefined || now - this.#pleaseAt < PLEASE_EACH_MS) return;
    this.#pleaseAt = now;
    const sender = new TrialSender(now, Math.min(ms, LONGEST_MS));
    this.#sending = { sender, run, ours: false, length, ends: 0 };
    this.#pump();
  }

  #end({ run, rate }: TrialMessage): void {
    const receiving = this.#receiving;
    if (receiving?.run !== run) return;
    this.#sayTally(receiving, true);
    if (this.#state.phase !== "in" || run !== this.#run) return;
    this.#state = { ...this.#state, phase: "done", in: throughput(receiving, rate) };
  }

  #sayTally(receiving: TrialReceiver, last: boolean): void {
    receiving.told();
    const { run, received, highest, time, rate, lost } = receiving;
    const { tally: kind } = TRIAL_KIND;
    this.#say({ kind, run, number: received, ms: highest, time, rate, lost, last }, TRIAL);
  }

  /** All loads that may go now. */
  readonly #pump = (): void => {
    const sending = this.#sending;
    const { hub } = this.#link;
    const { now } = hub;
    if (sending === undefined) return;
    const { sender, run, length } = sending;
    const ms = Math.max(0, Math.round(sender.until - now));
    for (let left = BURST; left > 0; left--) {
      if (hub.blocked || (hub.departures.full && !hub.send())) return hub.whenFree(this.#pump);
      const number = sender.next(now);
      if (number === 0) break;
      this.#say({ kind: TRIAL_KIND.load, run, number, ms, time: now, rate: 0 }, length);
    }
  };

  #say(
    what: Pick<TrialMessage, "kind" | "run" | "number" | "ms" | "rate"> & Partial<TrialMessage>,
    length: number,
  ): void {
    const { hub } = this.#link;
    const { departures, now } = hub;
    const keypair = this.#link.sending(now);
    if (keypair === undefined || departures.full) return;
    const message = { last: false, time: 0, lost: 0, ...what };
    emitTrial(departures.block, departures.next + HEADER, message, Math.max(TRIAL, length));
    this.#link.shipControl(keypair, Math.max(TRIAL, length), now);
  }
}

/** NaN and 0: the round trip is not known. */
function throughput(
  { rate, lost }: { readonly rate: number; readonly lost: number },
  rtt: number,
): Throughput {
  return {
    bitsPerSecond: Math.round(rate * 8),
    lost: Math.round(lost * 1e4) / 1e4,
    rttMs: rtt > 0 ? Math.round(rtt * 10) / 10 : null,
  };
}
