/** A link as /work/shared/tools/wanem.c makes one, in virtual time: µs as numbers, dice that fall the same each time. */
export type WanOptions = {
  /** One way, µs. */
  readonly delay?: number;
  /** Shares from 0 to 1. */
  readonly loss?: number;
  readonly duplicate?: number;
  /** Share of packets that come `late` µs after their turn. */
  readonly reorder?: number;
  readonly late?: number;
  /** Bits per second of whole frames; 0: no limit. */
  readonly rate?: number;
  /** Bytes that wait for the link at most. */
  readonly queue?: number;
  /** Bytes that are added to each datagram: IP, UDP and Ethernet. */
  readonly overhead?: number;
  readonly seed?: number;
};

const NEVER = Infinity;
const DEFAULT_QUEUE = 1_514_000;
const DEFAULT_OVERHEAD = 42;
const SLOT = 2048;

/** One direction. Datagrams go in with the number of whom they are for, and come out when their time has come. */
export class Wan {
  /** May be changed at any time. */
  readonly options: { -readonly [Key in keyof WanOptions]: WanOptions[Key] };
  down = false;
  sent = 0;
  lost = 0;
  overflowed = 0;
  /** Longest that a packet waited for the link, µs. */
  longestQueue = 0;
  #slab = new Uint8Array(new ArrayBuffer(1024 * SLOT));
  readonly #free: number[] = [];
  #used = 0;
  /** A heap of packets by the time they are due. */
  readonly #heap: { due: number; order: number; slot: number; length: number; to: number }[] = [];
  #order = 0;
  #linkFree = 0;
  #dice: number;

  constructor(options: WanOptions) {
    this.options = { ...options };
    this.#dice = options.seed ?? 1;
  }

  put(bytes: Uint8Array, from: number, length: number, to: number, now: number): void {
    const {
      loss = 0,
      duplicate = 0,
      reorder = 0,
      late = 3_000,
      delay = 0,
      rate = 0,
    } = this.options;
    this.sent += 1;
    if (this.down || this.#roll() < loss) {
      this.lost += 1;
      return;
    }
    let leaves = now;
    if (rate > 0) {
      this.#linkFree = Math.max(this.#linkFree, now);
      const wire = length + (this.options.overhead ?? DEFAULT_OVERHEAD);
      const waiting = ((this.#linkFree - now) * rate) / 8e6;
      if (waiting + wire > (this.options.queue ?? DEFAULT_QUEUE)) {
        this.overflowed += 1;
        return;
      }
      this.longestQueue = Math.max(this.longestQueue, this.#linkFree - now);
      this.#linkFree += (wire * 8e6) / rate;
      leaves = this.#linkFree;
    }
    const copies = this.#roll() < duplicate ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const extra = this.#roll() < reorder ? late : 0;
      this.#push(leaves + delay + extra, bytes, from, length, to);
    }
  }

  get wakeAt(): number {
    return this.#heap[0]?.due ?? NEVER;
  }

  /** Gives the packets that are due to `deliver`. */
  take(
    now: number,
    deliver: (to: number, bytes: Uint8Array, from: number, end: number) => void,
  ): void {
    for (let top = this.#heap[0]; top !== undefined && top.due <= now; top = this.#heap[0]) {
      this.#pop();
      deliver(top.to, this.#slab, top.slot * SLOT, top.slot * SLOT + top.length);
      this.#free.push(top.slot);
    }
  }

  #roll(): number {
    this.#dice = (this.#dice + 0x6d2b79f5) | 0; // mulberry32
    let t = Math.imul(this.#dice ^ (this.#dice >>> 15), 1 | this.#dice);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  #push(due: number, bytes: Uint8Array, from: number, length: number, to: number): void {
    const slot = this.#free.pop() ?? this.#used++;
    if ((slot + 1) * SLOT > this.#slab.length) {
      const larger = new Uint8Array(new ArrayBuffer(this.#slab.length * 2));
      larger.set(this.#slab);
      this.#slab = larger;
    }
    this.#slab.set(bytes.subarray(from, from + length), slot * SLOT);
    const heap = this.#heap;
    const item = { due, order: this.#order++, slot, length, to };
    let i = heap.length;
    heap.push(item);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(item, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = item;
  }

  #pop(): void {
    const heap = this.#heap;
    const item = heap.pop();
    if (item === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (!before(heap[child]!, item)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = item;
  }
}

function before(a: { due: number; order: number }, b: { due: number; order: number }): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}
