import type { Congestion, Flow } from "./congestion.ts";
import { LeastRtt } from "./least-rtt.ts";
import { ProbeCycle } from "./probe-cycle.ts";
import { RateMeter, SPAN, spanAt } from "./rate-meter.ts";
import { STANDING_ROUNDS, StandingQueue } from "./standing-queue.ts";
import { Startup } from "./startup.ts";
import { WindowedMax } from "./windowed-max.ts";

const SECOND = 1_000_000;
/** 2/ln 2: the least gain that doubles the rate with each round trip. */
const STARTUP_GAIN = 2.885;
const STARTUP_WINDOW_GAIN = 1.5;
/**
 * Once a rate is known no more than this is sent at once: what was held back by a program that had little to say is
 * then a burst of a whole window, and what a faster one is ahead of the path by must fit the path's queue.
 */
const STARTUP_PACE = 1.6;
const WINDOW_GAIN = 2;
/** While a queue stands that is not from our own probing we go slower than it drains. */
const YIELD_GAIN = 0.9;
/** With so little of it on its way the least round trip is seen. */
const LOOK_GAIN = 0.5;
/** A program that has nothing to send now and then makes a queue when it has so much of what the path holds on its way. */
const OURS = 1 / 2;
/**
 * While the queue is no longer than a round trip, or so many µs, a rate below this share of what was measured in so
 * many µs is not believed: it may be a machine that is busy, and what is slow for it alone looks like a queue.
 */
const NO_QUEUE = 50_000;
const LATELY = 5 * SECOND;
const LATELY_SHARE = 0.7;
/** Packets in flight, and packets of the first flight. */
const LEAST_WINDOW = 8;
const FIRST_WINDOW = 64;
/** The first flight leaves in this share of a round trip: no more is on its way, and more is known when it arrives. */
const FIRST_SHARE = 1 / 4;
/** The rate is measured over so much of a round trip, and believed for ten round trips; while a queue stands, for two. */
const SHARE = 1 / 2;
const STARTUP_SHARE = 1 / 8;
const MEMORY_ROUNDS = 10;
/** Acknowledgements and turns of the event loops come in lumps: so long at the rate, or so many packets. */
const LUMP = 10_000;
/** libudt acknowledges every 10 ms or 64 packets: with less than twice that a small window never grows, µs. */
const RARE_LUMP = 25_000;
const LUMP_PACKETS = 4096;
/** And it looks at its timers each 100 ms only, when nothing comes, µs. */
const RARE_LOOK = 100_000;

/**
 * BBR (draft-cardwell-iccrg-bbr-congestion-control, the first version) with two changes: it goes slower when it sees
 * a queue stand, and it measures the rate where packets arrive. The pace is the rate at which they do; loss that is
 * not ours to blame changes neither that nor the round trip, and so nothing.
 */
export class Bbr implements Congestion {
  readonly name = "bbr";
  readonly spans = false;
  period = 0;
  window = FIRST_WINDOW;
  #phase: "startup" | "drain" | "cruise" | "look" = "startup";
  readonly #meter = new RateMeter();
  readonly #rate = new WindowedMax();
  readonly #lately = new WindowedMax();
  readonly #leastRtt = new LeastRtt();
  readonly #queue = new StandingQueue();
  readonly #startup = new Startup();
  readonly #cycle: ProbeCycle;
  #roundAt = -1;
  #silent = false;

  /** `seed`: where in its cycle it begins, so that neighbours do not go in step. */
  constructor(seed: number = 0) {
    this.#cycle = new ProbeCycle(seed);
  }

  /** Packets per second. */
  get rate(): number {
    return this.#rate.best;
  }

  onStart(flow: Flow): void {
    this.#set(flow);
  }

  onAck(flow: Flow): void {
    this.#silent = false;
    const { now, rttSample } = flow;
    if (rttSample > 0) {
      this.#leastRtt.take(rttSample, now);
      this.#queue.take(rttSample);
      this.#startup.take(rttSample);
    }
    const share = this.#phase === "startup" ? STARTUP_SHARE : SHARE;
    if (this.#meter.take(flow, share)) this.#measured(flow);
    const rtt = rttSample > 0 ? rttSample : flow.rtt;
    // Nor shorter than what it takes to measure: else three rounds in which nothing can have grown end the start.
    if (now - Math.max(rtt, 2 * SPAN) >= this.#roundAt) {
      this.#round(flow);
      this.#roundAt = now;
    }
    this.#move(flow);
    this.#set(flow);
  }

  onLoss(): void {}

  onTimeout(flow: Flow): void {
    this.#silent = true;
    this.#meter.interrupt();
    this.#set(flow);
  }

  /** A measurement of the rate is complete. */
  #measured(flow: Flow): void {
    const { now } = flow;
    const { rate, span } = this.#meter;
    if (this.#phase === "startup") {
      // With little on its way neither the rate nor the queue was ours.
      const ours = flow.inFlight >= this.#pipe(flow) * OURS || !this.#wasIdle(flow);
      if (this.#startup.isQueued(this.#leastRtt.of(flow), ours)) this.#phase = "drain";
    }
    const idle = flow.idleAt >= now - flow.rtt - span;
    const rounds = this.#queue.stands ? STANDING_ROUNDS : MEMORY_ROUNDS;
    const memory = rounds * Math.max(this.#turn(flow), flow.told ? 0 : RARE_LOOK);
    // Who looks at the round trip has little on its way: what arrives of that says nothing of the path.
    const looking = now <= this.#leastRtt.lookUntil + flow.rtt + span;
    if ((!idle && !looking) || rate > this.#rate.best) this.#rate.add(rate, now, memory);
    this.#lately.add(rate, now, LATELY);
  }

  /** A packet that was sent when the last round ended has arrived. */
  #round(flow: Flow): void {
    const { best } = this.#rate;
    const probed = this.#phase === "cruise" && this.#cycle.gain !== 1;
    this.#queue.round(this.#leastRtt.of(flow), best, probed);
    if (this.#phase !== "startup" || best === 0 || this.#wasIdle(flow)) return;
    if (this.#startup.isFull(best)) this.#phase = "drain";
  }

  /** In what arrived in this round there were gaps when it was sent: its rate was not the path's. */
  #wasIdle(flow: Flow): boolean {
    return flow.idleAt >= this.#roundAt - flow.rtt;
  }

  #move(flow: Flow): void {
    const { now } = flow;
    const drained = flow.inFlight <= this.#pipe(flow);
    if (this.#phase === "drain" && drained) this.#cruise(now);
    if (this.#phase === "look" && now >= this.#leastRtt.lookUntil) {
      this.#leastRtt.looked(now);
      this.#cruise(now);
    }
    if (this.#phase !== "cruise") return;
    if (this.#leastRtt.isOld(now)) {
      this.#phase = "look";
      this.#leastRtt.look(flow);
      return;
    }
    if (this.#cycle.isOver(now, this.#turn(flow), drained))
      this.#cycle.step(now, this.#rate.best, this.#queue.rounds === 0);
  }

  #cruise(now: number): void {
    this.#phase = "cruise";
    this.#cycle.resume(now);
  }

  #set(flow: Flow): void {
    const short = this.#queue.length < Math.max(NO_QUEUE, this.#leastRtt.of(flow));
    const lately = short && this.#phase !== "startup" ? this.#lately.best * LATELY_SHARE : 0;
    const rate = Math.max(this.#rate.best, lately);
    const { pace, hold } = this.#gains();
    const first = (flow.rtt * FIRST_SHARE) / (FIRST_WINDOW * STARTUP_GAIN);
    if (rate === 0) {
      this.period = first;
      this.window = this.#silent ? LEAST_WINDOW : FIRST_WINDOW * STARTUP_GAIN;
      return;
    }
    const lump = Math.min((rate * (flow.told ? LUMP : RARE_LUMP)) / SECOND, LUMP_PACKETS);
    // Four packets in a round trip are less than the least window anyway: no rate that was measured is below that.
    this.period = Math.min(SECOND / (rate * pace), (flow.rtt * 2) / LEAST_WINDOW);
    // What it begins with it may have until it knows better: who had little to say was not slow.
    if (this.#phase === "startup") this.period = Math.min(this.period, first);
    const least = this.#phase === "startup" ? FIRST_WINDOW * STARTUP_GAIN : LEAST_WINDOW;
    this.window = this.#silent ? LEAST_WINDOW : Math.max(least, hold * this.#pipe(flow) + lump);
  }

  #gains(): { pace: number; hold: number } {
    switch (this.#phase) {
      case "startup":
        return { pace: STARTUP_PACE, hold: STARTUP_WINDOW_GAIN };
      case "drain":
        return { pace: 1 / STARTUP_GAIN, hold: STARTUP_WINDOW_GAIN };
      case "look":
        return { pace: 1, hold: LOOK_GAIN };
      case "cruise": {
        const { gain } = this.#cycle;
        return { pace: this.#queue.stands ? Math.min(gain, YIELD_GAIN) : gain, hold: WINDOW_GAIN };
      }
    }
  }

  /** Packets that fill the path without a queue. */
  #pipe(flow: Flow): number {
    return (this.#rate.best * this.#leastRtt.of(flow)) / SECOND;
  }
  /** How long a step of the cycle is, µs: a round trip, and long enough for the rate to be measured in it. */
  #turn(flow: Flow): number {
    return Math.max(this.#leastRtt.of(flow), 2 * spanAt(this.#rate.best));
  }
}
