import type { Memory } from "./memory.ts";

/** Streams are told apart by so many numbers. A power of two; of two that share one, one is not thinned. */
const SLOTS = 1024;
/** Room for IPv6, TCP with all its options, and a trailer. */
const ROOM = 128;
const IP4_HEADER = 20;
const IP6_HEADER = 40;
const TCP = 6;
const TCP_HEADER = 20;
/** Nothing but ACK: neither the beginning, the end, nor anything about ECN. */
const FLAGS = 0x0fff;
const ACK = 0x10;
const FRAGMENT = 0x3fff;
const OPTION = { end: 0, nothing: 1, sack: 5, timestamps: 8 } as const;
/**
 * So many acknowledgements in a round trip are enough. HyStart, by which Linux's senders leave slow start, looks for
 * delay only when it has more than 8 samples of a round, and for trains of acknowledgements 2 ms apart at most: what
 * was held up for a repair looks to it like a queue, and a stream would need a quarter of a minute to fill the path.
 */
const IN_A_ROUND = 3;
const LEAST_GAP = 2_500;
/** Nobody waits longer for an acknowledgement than for one that was delayed on purpose (RFC 9293 §3.8.6.3 allows 500 ms). */
const MOST_GAP = 70_000;

/**
 * Acknowledgements of TCP that say nothing but what has arrived, as they go into a path that loses and reorders
 * nothing: what one says the next says too (of what is beyond a gap, its newest block, RFC 2018 §4), so of many only
 * the newest is sent. The first after a pause is
 * never kept; what is kept is sent when a share of a round trip has passed. Times µs.
 */
export class AckThinner {
  /** Of each stream: who it is, when it spoke last, and what is kept (length 0: nothing). */
  readonly #who = new Float64Array(SLOTS);
  readonly #number = new Uint32Array(SLOTS);
  readonly #saidAt = new Float64Array(SLOTS).fill(-Infinity);
  readonly #length = new Uint8Array(SLOTS);
  readonly #bytes = new Uint8Array(SLOTS * ROOM);
  /** Slots that keep something, the one that began first in front: none waits longer than the gap. */
  readonly #kept: number[] = [];
  #gap = LEAST_GAP;
  #ackAt = 0;
  #sacks = false;
  /** How many were not sent, since others said the same. */
  thinned = 0;

  /** When what is kept is due; Infinity: nothing is. */
  get wakeAt(): number {
    const slot = this.#kept[0];
    return slot === undefined ? Infinity : (this.#saidAt[slot] as number) + this.#gap;
  }

  /**
   * True: the `length` bytes at `at`, a packet and its trailer of `trailer` bytes, need not be sent now. `rtt`: of the path.
   */
  keep(
    { bytes, view }: Memory,
    at: number,
    length: number,
    trailer: number,
    rtt: number,
    now: number,
  ): boolean {
    if (length > ROOM) return false;
    const who = this.#read({ bytes, view }, at, length - trailer);
    if (who < 0) return false;
    this.#gap = Math.min(MOST_GAP, Math.max(LEAST_GAP, rtt / IN_A_ROUND));
    const slot = who & (SLOTS - 1);
    const number = view.getUint32(this.#ackAt);
    const isSame = this.#who[slot] === who;
    const advance = (number - (this.#number[slot] as number)) | 0;
    const isKept = (this.#length[slot] as number) > 0;
    if (!isSame && isKept) return false;
    // The same again tells a sender that something is missing, unless it says so; an older one is nothing new.
    if (isSame && (advance < 0 || (advance === 0 && !this.#sacks))) return false;
    this.#who[slot] = who;
    this.#number[slot] = number;
    if (!isKept && now - (this.#saidAt[slot] as number) >= this.#gap) {
      this.#saidAt[slot] = now;
      return false;
    }
    for (let i = 0; i < length; i++) this.#bytes[slot * ROOM + i] = bytes[at + i] as number;
    this.#length[slot] = length;
    if (isKept) this.thinned++;
    else this.#kept.push(slot);
    return true;
  }

  /** What is kept and due, written to `at`: its length; 0: nothing is. */
  take(now: number, { bytes }: Memory, at: number): number {
    if (now < this.wakeAt) return 0;
    const slot = this.#kept.shift();
    if (slot === undefined) return 0;
    const length = this.#length[slot] as number;
    bytes.set(this.#bytes.subarray(slot * ROOM, slot * ROOM + length), at);
    this.#length[slot] = 0;
    this.#saidAt[slot] = now;
    return length;
  }

  /** Which stream it acknowledges; -1: it says more than that something has arrived. */
  #read(memory: Memory, at: number, length: number): number {
    const { bytes, view } = memory;
    if (length < IP4_HEADER) return -1;
    const version = (bytes[at] as number) >>> 4;
    const own = version === 6 ? IP6_HEADER : ((bytes[at] as number) & 15) * 4;
    if (version !== 4 && version !== 6) return -1;
    if (length < own + TCP_HEADER || bytes[at + (version === 6 ? 6 : 9)] !== TCP) return -1;
    if (version === 4 && (view.getUint16(at + 6) & FRAGMENT) !== 0) return -1;
    const tcp = at + own;
    const header = ((bytes[tcp + 12] as number) >>> 4) * 4;
    if (own + header !== length || (view.getUint16(tcp + 12) & FLAGS) !== ACK) return -1;
    this.#sacks = false;
    for (let i = tcp + TCP_HEADER; i < tcp + header;) {
      const option = bytes[i] as number;
      if (option === OPTION.end) break;
      if (option === OPTION.sack) this.#sacks = true;
      else if (option !== OPTION.nothing && option !== OPTION.timestamps) return -1;
      i += option === OPTION.nothing ? 1 : Math.max(2, bytes[i + 1] as number);
    }
    this.#ackAt = tcp + 8;
    let hash = 0;
    for (let i = version === 6 ? 8 : 12; i < own; i += 4) hash = mix(hash, view.getUint32(at + i));
    return mix(hash, view.getUint32(tcp)) >>> 1;
  }
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e37_79b1);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
