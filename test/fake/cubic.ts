/**
 * One bulk stream of TCP as Linux has it, in virtual time and whole segments: slow start with HyStart (trains of
 * acknowledgements, and delay), CUBIC (RFC 9438), SACK. Times are µs. Nothing is kept of the bytes: only numbers.
 */
const SECOND = 1_000_000;
const FIRST_WINDOW = 10;
/** Linux's `hystart_low_window`, `hystart_ack_delta_us`, HYSTART_MIN_SAMPLES and the bounds of its threshold. */
const LOW_WINDOW = 16;
const TRAIN_GAP = 2_000;
const MIN_SAMPLES = 8;
const LEAST_DELAY = 4_000;
const MOST_DELAY = 16_000;
const BETA = 0.7;
const C = 0.4;
/** Later ones that have arrived, before a segment is taken for lost. */
const REORDER = 3;
const LEAST_RTO = 200_000;

/** What one acknowledgement says: all before `next` is there, and these. */
export interface Sack {
  readonly next: number;
  readonly segments: readonly number[];
}

/** The end that has something to send, always. */
export class CubicSender {
  window = FIRST_WINDOW;
  /** Segments acknowledged. */
  first = 0;
  /** How often something was lost, and how much. */
  backoffs = 0;
  repeated = 0;
  timeouts = 0;
  /** The window that slow start ended with. */
  startedWith = 0;
  #threshold = Infinity;
  #next = 0;
  #top = -1;
  readonly #sentAt = new Map<number, number>();
  readonly #again = new Set<number>();
  readonly #lost = new Set<number>();
  readonly #there = new Set<number>();
  #checked = 0;
  #recoverTo = -1;
  #rtt = 0;
  #leastRtt = Infinity;
  #quietSince = 0;
  #roundEnd = 0;
  #roundAt = 0;
  #lastAck = 0;
  #roundRtt = Infinity;
  #samples = 0;
  #epoch = -1;
  #most = 0;
  #origin = 0;
  #k = 0;

  /** Round trip, smoothed. */
  get rtt(): number {
    return this.#rtt;
  }
  get inFlight(): number {
    return this.#next - this.first - this.#there.size - this.#lost.size;
  }
  get wakeAt(): number {
    return this.first === this.#next ? Infinity : this.#quietSince + this.#rto;
  }

  /** The segment that may go now; -1: none. */
  poll(now: number): number {
    if (now >= this.wakeAt) this.#timeout(now);
    if (this.inFlight >= this.window) return -1;
    for (const seq of this.#lost) {
      this.#lost.delete(seq);
      this.#again.add(seq);
      this.#sentAt.set(seq, now);
      this.repeated++;
      return seq;
    }
    if (this.first === this.#next) this.#quietSince = now;
    this.#sentAt.set(this.#next, now);
    return this.#next++;
  }

  acknowledge({ next, segments }: Sack, now: number): void {
    this.#quietSince = now;
    let acked = 0;
    let newestSent = 0;
    let sample = 0;
    for (const seq of segments) {
      if (seq < this.first || this.#there.has(seq)) continue;
      const at = this.#sentAt.get(seq) ?? now;
      newestSent = Math.max(newestSent, at);
      if (!this.#again.has(seq)) sample = now - at;
      this.#there.add(seq);
      this.#lost.delete(seq);
      this.#top = Math.max(this.#top, seq);
      acked++;
    }
    for (; this.first < next; this.first++) {
      const seq = this.first;
      if (!this.#there.delete(seq)) acked++;
      for (const known of [this.#lost, this.#again, this.#sentAt]) known.delete(seq);
    }
    this.#checked = Math.max(this.#checked, this.first);
    this.#findLost(newestSent, now);
    if (this.first > this.#recoverTo) this.#recoverTo = -1;
    if (sample > 0) this.#measure(sample, now);
    if (this.#recoverTo < 0) this.#grow(acked, now);
  }

  get #rto(): number {
    return this.#rtt === 0 ? SECOND : this.#rtt + Math.max(LEAST_RTO, this.#rtt);
  }

  #findLost(newestSent: number, now: number): void {
    let any = false;
    for (; this.#checked <= this.#top - REORDER; this.#checked++) {
      if (this.#there.has(this.#checked)) continue;
      this.#lost.add(this.#checked);
      any = true;
    }
    // As RACK: what was repeated, and is overtaken by what was sent a quarter of a round trip later.
    for (const seq of this.#again) {
      if (this.#there.has(seq) || this.#lost.has(seq)) continue;
      if ((this.#sentAt.get(seq) ?? now) < newestSent - this.#leastRtt / 4) this.#lost.add(seq);
    }
    if (!any || this.#recoverTo >= 0) return;
    this.#recoverTo = this.#next - 1;
    this.backoffs++;
    this.#backOff();
    this.window = this.#threshold;
  }

  #backOff(): void {
    if (this.startedWith === 0) this.startedWith = this.window;
    this.#epoch = -1;
    this.#most = this.window < this.#most ? (this.window * (1 + BETA)) / 2 : this.window;
    this.#threshold = Math.max(2, Math.floor(this.window * BETA));
  }

  #timeout(now: number): void {
    this.timeouts++;
    this.#backOff();
    this.window = 1;
    this.#quietSince = now;
    this.#recoverTo = this.#next - 1;
    this.#again.clear();
    for (let seq = this.first; seq < this.#next; seq++)
      if (!this.#there.has(seq)) this.#lost.add(seq);
    this.#checked = this.#next;
  }

  #measure(sample: number, now: number): void {
    this.#rtt += this.#rtt === 0 ? sample : (sample - this.#rtt) / 8;
    this.#leastRtt = Math.min(this.#leastRtt, sample);
    if (this.window < this.#threshold && this.window >= LOW_WINDOW) this.#hystart(sample, now);
  }

  #hystart(sample: number, now: number): void {
    if (this.first > this.#roundEnd) {
      this.#roundEnd = this.#next;
      this.#roundAt = this.#lastAck = now;
      this.#roundRtt = Infinity;
      this.#samples = 0;
    }
    let found = false;
    if (now - this.#lastAck <= TRAIN_GAP) {
      this.#lastAck = now;
      found = now - this.#roundAt > this.#leastRtt / 2;
    }
    this.#roundRtt = Math.min(this.#roundRtt, sample);
    const more = Math.min(MOST_DELAY, Math.max(LEAST_DELAY, this.#leastRtt / 8));
    if (this.#samples < MIN_SAMPLES) this.#samples++;
    else found ||= this.#roundRtt > this.#leastRtt + more;
    if (!found) return;
    this.#threshold = this.window;
    this.startedWith = this.window;
  }

  #grow(acked: number, now: number): void {
    if (this.window < this.#threshold) {
      this.window = Math.min(this.window + acked, this.#threshold);
      return;
    }
    if (this.#epoch < 0) {
      this.#epoch = now;
      this.#origin = Math.max(this.#most, this.window);
      this.#k = Math.cbrt((this.#origin - this.window) / C);
    }
    const t = (now - this.#epoch + this.#leastRtt) / SECOND;
    const target = this.#origin + C * (t - this.#k) ** 3;
    const each = target > this.window ? Math.min(1 / 2, (target - this.window) / this.window) : 0;
    this.window += acked * Math.max(each, 1 / (100 * this.window));
  }
}

/** The end that acknowledges each second segment. */
export class CubicReceiver {
  /** All before it has arrived. */
  next = 0;
  readonly #beyond = new Set<number>();
  readonly #unsaid: number[] = [];

  /** Nothing is missing. */
  get isWhole(): boolean {
    return this.#beyond.size === 0;
  }

  take(segment: number): void {
    if (segment >= this.next) this.#beyond.add(segment);
    while (this.#beyond.delete(this.next)) this.next++;
    this.#unsaid.push(segment);
  }

  /** What is to be said now, if anything. `all`: nothing more comes at once. */
  say(all: boolean): Sack | undefined {
    if (this.#unsaid.length === 0 || (this.#unsaid.length < 2 && !all)) return undefined;
    return { next: this.next, segments: this.#unsaid.splice(0) };
  }
}
