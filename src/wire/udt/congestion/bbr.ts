import type { Congestion, Flow } from "./congestion.ts";
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
/** A pipe is full when three rounds bring less than this much more. */
const GROWTH = 1.25;
const FLAT_ROUNDS = 3;
/** A round trip at more, then what that queued taken off again, then six as measured. */
const CYCLE = [1.25, 0.75, 1, 1, 1, 1, 1, 1] as const;
/** What the first step brings is known by the end of this one, and is worth another when it is so much more. */
const PROBED = 2;
const PROBE_GROWTH = 1.15;
const WINDOW_GAIN = 2;
/** While a queue stands that is not from our own probing we go slower than it drains. */
const YIELD_GAIN = 0.9;
/** A queue stands when no packet of a round was this near to the least round trip: a share of it, and µs of noise. */
const STANDING = 0.2;
const NOISE = 4_000;
const STARTUP_QUEUE = 0.2;
/** A program that has nothing to send now and then makes a queue when it has so much of what the path holds on its way. */
const OURS = 1 / 2;
/** So many measurements in a row: a machine that was busy once is no queue. */
const QUEUED_SPANS = 3;
/** Longer than another program has the processor while ours wait for it, µs. */
const STARTUP_STALL = 20_000;
/** So many rounds in a row say that it stands; then the rate is believed for no longer. */
const YIELD_ROUNDS = 2;
/**
 * While the queue is no longer than a round trip, or so many µs, a rate below this share of what was measured in so
 * many µs is not believed: it may be a machine that is busy, and what is slow for it alone looks like a queue.
 */
const NO_QUEUE = 50_000;
const LATELY = 5 * SECOND;
const LATELY_SHARE = 0.7;
/** 10 ms of queue at 100 Mbit/s, 100 ms at 1 Mbit/s. */
const TOLERANCE = 920_000;
const LEAST_TOLERANCE = 10_000;
/** Packets in flight, and packets of the first flight. */
const LEAST_WINDOW = 8;
const FIRST_WINDOW = 64;
/** The first flight leaves in this share of a round trip: no more is on its way, and more is known when it arrives. */
const FIRST_SHARE = 1 / 4;
/** The rate is measured over so long, µs, or half a round trip, and believed for ten round trips. */
const SPAN = 10_000;
/** A peer that tells each 10 ms, and has told nothing for so long, was busy, or had nothing to tell, µs. */
const NOT_LOOKED = 25_000;
/** Fewer packets say too little, unless it is so long, µs. */
const SPAN_PACKETS = 16;
const LONG_SPAN = 500_000;
const SHARE = 1 / 2;
const STARTUP_SHARE = 1 / 8;
const MEMORY_ROUNDS = 10;
/** The least round trip is believed for so long, then less is sent for a while to see it again. */
const RTT_MEMORY = 10 * SECOND;
const RTT_PROBE = 200_000;
const RTT_PROBE_GAIN = 0.5;
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
  readonly #rate = new WindowedMax();
  readonly #lately = new WindowedMax();
  #queue = 0;
  /** µs. */
  #leastRtt = Infinity;
  #leastAt = 0;
  #spanFrom = -1;
  #spanDelivered = 0;
  /** Of the measurement before, if it ended where this one begins: packets, and µs. */
  #packetsBefore = 0;
  #spanBefore = 0;
  /** Longest silence of this measurement, and of the one before, µs. */
  #gap = 0;
  #gapBefore = 0;
  #seenAt = -1;
  #roundAt = -1;
  #roundLeast = Infinity;
  #spanLeast = Infinity;
  #fullRate = 0;
  #flatRounds = 0;
  /** Rounds in a row in which a queue stood. */
  #queued = 0;
  #queuedSpans = 0;
  #step: number;
  #stepAt = 0;
  /** The rate when the cycle began last. */
  #probedFrom = Infinity;
  #lookUntil = -Infinity;
  #lookLeast = Infinity;
  #silent = false;

  /** `seed`: where in its cycle it begins, so that neighbours do not go in step. */
  constructor(seed: number = 0) {
    this.#step = 2 + (seed % (CYCLE.length - 2));
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
    this.#measureRtt(flow);
    this.#measureRate(flow);
    const rtt = flow.rttSample > 0 ? flow.rttSample : flow.rtt;
    // Nor shorter than what it takes to measure: else three rounds in which nothing can have grown end the start.
    if (flow.now - Math.max(rtt, 2 * SPAN) >= this.#roundAt) {
      this.#round(flow);
      this.#roundAt = flow.now;
      this.#roundLeast = Infinity;
    }
    this.#move(flow);
    this.#set(flow);
  }

  onLoss(): void {}

  onTimeout(flow: Flow): void {
    this.#silent = true;
    this.#spanFrom = -1; // nothing was measured in the silence
    this.#set(flow);
  }

  #measureRtt(flow: Flow): void {
    const sample = flow.rttSample;
    if (sample <= 0) return;
    this.#roundLeast = Math.min(this.#roundLeast, sample);
    this.#lookLeast = Math.min(this.#lookLeast, sample);
    this.#spanLeast = Math.min(this.#spanLeast, sample);
    // Near to the least is as good: on a path of many hops none is the same twice.
    if (sample > this.#leastRtt * (1 + STANDING / 4)) return;
    this.#leastRtt = Math.min(this.#leastRtt, sample);
    this.#leastAt = flow.now;
  }

  #measureRate(flow: Flow): void {
    // A light acknowledgement says how many, not when: with the time of an older one that would be too fast.
    if (flow.deliveredAt === this.#seenAt) return;
    if (this.#seenAt >= 0) this.#gap = Math.max(this.#gap, flow.deliveredAt - this.#seenAt);
    this.#seenAt = flow.deliveredAt;
    if (this.#spanFrom < 0 || flow.deliveredAt < this.#spanFrom) {
      this.#spanFrom = flow.deliveredAt;
      this.#spanDelivered = flow.delivered;
      this.#packetsBefore = this.#spanBefore = this.#gap = 0;
      return;
    }
    const span = flow.deliveredAt - this.#spanFrom;
    const share = this.#phase === "startup" ? STARTUP_SHARE : SHARE;
    const packets = flow.delivered - this.#spanDelivered;
    if (span < Math.max(SPAN, flow.rtt * share)) return;
    if (packets < SPAN_PACKETS && span < LONG_SPAN) return;
    if (this.#phase === "startup") this.#stopAtQueue(flow);
    this.#spanLeast = Infinity;
    // A machine that did not look for a while has what came meanwhile all at once: that is no faster path.
    const both = ((packets + this.#packetsBefore) * SECOND) / (span + this.#spanBefore);
    const looked = Math.max(this.#gap, this.#gapBefore) < NOT_LOOKED;
    const rate = looked ? (packets * SECOND) / span : Math.min((packets * SECOND) / span, both);
    this.#packetsBefore = packets;
    this.#spanBefore = span;
    this.#gapBefore = this.#gap;
    this.#gap = 0;
    const idle = flow.idleAt >= flow.now - flow.rtt - span;
    const rounds = this.#standing ? YIELD_ROUNDS : MEMORY_ROUNDS;
    const memory = rounds * Math.max(this.#turn(flow), flow.told ? 0 : RARE_LOOK);
    // Who looks at the round trip has little on its way: what arrives of that says nothing of the path.
    const looking = flow.now <= this.#lookUntil + flow.rtt + span;
    if ((!idle && !looking) || rate > this.#rate.best) this.#rate.add(rate, flow.now, memory);
    this.#lately.add(rate, flow.now, LATELY);
    this.#spanFrom = flow.deliveredAt;
    this.#spanDelivered = flow.delivered;
  }

  /** The start is over once a queue grows, without waiting for the end of the round: by then it would overflow. */
  #stopAtQueue(flow: Flow): void {
    if (this.#spanLeast === Infinity) return;
    const base = this.#base(flow);
    // With little on its way neither the rate nor the queue was ours.
    const little = flow.inFlight < this.#pipe(flow) * OURS;
    if (little && this.#isIdleSince(this.#roundAt - flow.rtt, flow)) return;
    const queue = this.#spanLeast - base;
    const stands = queue > Math.max(base * STARTUP_QUEUE + NOISE, STARTUP_STALL);
    this.#queuedSpans = stands ? this.#queuedSpans + 1 : 0;
    if (this.#queuedSpans >= QUEUED_SPANS) this.#phase = "drain";
  }

  /** Then the rate was not the path's. */
  #isIdleSince(time: number, flow: Flow): boolean {
    return flow.idleAt >= time;
  }

  /** A packet that was sent when the last round ended has arrived. */
  #round(flow: Flow): void {
    const base = this.#base(flow);
    const queue = this.#roundLeast === Infinity ? 0 : this.#roundLeast - base;
    this.#queue = queue;
    const ours = this.#phase === "cruise" && CYCLE[this.#step] !== 1;
    this.#queued = !ours && queue > this.#tolerance(base) ? this.#queued + 1 : 0;
    if (this.#phase !== "startup" || this.#rate.best === 0) return;
    if (this.#isIdleSince(this.#roundAt - flow.rtt, flow)) return;
    if (this.#rate.best >= this.#fullRate * GROWTH) {
      this.#fullRate = this.#rate.best;
      this.#flatRounds = 0;
    } else this.#flatRounds += 1;
    if (this.#flatRounds >= FLAT_ROUNDS) this.#phase = "drain";
  }

  #move(flow: Flow): void {
    const { now } = flow;
    const pipe = this.#pipe(flow);
    if (this.#phase === "drain" && flow.inFlight <= pipe) this.#cruise(now);
    if (this.#phase === "look" && now >= this.#lookUntil) {
      if (this.#lookLeast !== Infinity) this.#leastRtt = this.#lookLeast;
      this.#leastAt = now;
      this.#cruise(now);
    }
    if (this.#phase !== "cruise") return;
    if (now - this.#leastAt > RTT_MEMORY) {
      this.#phase = "look";
      this.#lookUntil = now + Math.max(RTT_PROBE, flow.rtt) + flow.rtt;
      this.#lookLeast = Infinity;
      return;
    }
    const gain = CYCLE[this.#step] ?? 1;
    const passed = now - this.#stepAt >= this.#turn(flow);
    const early = gain < 1 && flow.inFlight <= pipe;
    if (!passed && !early) return;
    const { best } = this.#rate;
    // More brought more: the start was over too early, or there is more room now. So at once more again.
    const grew = this.#step > 0 && this.#step <= PROBED && best >= this.#probedFrom * PROBE_GROWTH;
    this.#step = grew && this.#queued === 0 ? 0 : (this.#step + 1) % CYCLE.length;
    if (this.#step === 0) this.#probedFrom = best;
    this.#stepAt = now;
  }

  #cruise(now: number): void {
    this.#phase = "cruise";
    this.#stepAt = now;
  }

  #set(flow: Flow): void {
    const short = this.#queue < Math.max(NO_QUEUE, this.#base(flow));
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
        return { pace: 1, hold: RTT_PROBE_GAIN };
      case "cruise": {
        const gain = CYCLE[this.#step] ?? 1;
        return { pace: this.#standing ? Math.min(gain, YIELD_GAIN) : gain, hold: WINDOW_GAIN };
      }
    }
  }

  /** Once may have been a machine that was busy. */
  get #standing(): boolean {
    return this.#queued >= YIELD_ROUNDS;
  }

  /** Packets that fill the path without a queue. */
  #pipe(flow: Flow): number {
    return (this.#rate.best * this.#base(flow)) / SECOND;
  }
  /**
   * The queue that we let stand, µs: the more is ours, the less. All who share a queue see the same one, so those
   * who have more than others yield first, and all come to have the same.
   */
  #tolerance(base: number): number {
    const ours = TOLERANCE / Math.sqrt(Math.max(1, this.#rate.best));
    return Math.max(LEAST_TOLERANCE, Math.min(ours, base / 2 + NOISE));
  }
  /** How long a step of the cycle is, µs: a round trip, and long enough for the rate to be measured in it. */
  #turn(flow: Flow): number {
    const packets = Math.min((SPAN_PACKETS * SECOND) / this.#rate.best, LONG_SPAN);
    return Math.max(this.#base(flow), 2 * SPAN, 2 * packets);
  }
  #base(flow: Flow): number {
    return this.#leastRtt === Infinity ? flow.rtt : this.#leastRtt;
  }
}
