/**
 * Where the names of a message being written lie, so that later ones point to them (RFC 1035,
 * 4.1.4): a table from a name's hash to an offset, emptied in one step.
 */
import { hashByte, hashEnd, hashStart, LOWER, MAX_LABELS } from "./name.ts";

/** Pointers have 14 bits. */
const FARTHEST = 0x3fff;
const SLOTS = 1024;
const SLOT_MASK: number = SLOTS - 1;
/** A full table stops learning; what it knows stays good. */
const MOST = 512;

export class Compression {
  /** Whether names must agree in case too: in transfers, which keep it. */
  exactCase = false;
  readonly #offsets = new Uint16Array(SLOTS);
  readonly #tags = new Uint32Array(SLOTS);
  /** Slots in use, in the order they were taken. */
  readonly #used = new Uint16Array(MOST);
  #count = 0;
  #out: Uint8Array = new Uint8Array(0);
  #start = 0;
  /** The question's name: many answers point to it and write no other, so it is learned late. */
  #first = 0;
  readonly #starts = new Uint8Array(MAX_LABELS + 1);
  readonly #hashes = new Uint32Array(MAX_LABELS + 1);

  /** Begin with the message at `start` of `out`, and the name that lies whole at its offset `first`; 0 for none. */
  begin(out: Uint8Array, start: number, first: number): void {
    this.forget(0);
    this.#out = out;
    this.#start = start;
    this.#first = first;
  }

  /** How many are known: give it to `forget` to go back to here. */
  get count(): number {
    return this.#count;
  }

  forget(count: number): void {
    while (this.#count > count) this.#offsets[this.#used[--this.#count] as number] = 0;
  }

  /**
   * Write `name`, which begins at `from` there, at `at` of the buffer: as many labels as are new,
   * then a pointer. Where it ends; -1 when it does not by `limit`.
   */
  write(name: Uint8Array, from: number, at: number, limit: number): number {
    if (this.#count === 0 && this.#first > 0) {
      const labels = this.#measure(this.#out, this.#start + this.#first);
      this.#learn(labels, this.#first);
    }
    const out = this.#out;
    const labels = this.#measure(name, from);
    let known = 0;
    let pointer = 0;
    for (; known < labels; known++) {
      const label = from + (this.#starts[known] as number);
      pointer = this.#find(name, label, this.#hashes[known] as number);
      if (pointer > 0) break;
    }
    const copied = this.#starts[known] as number;
    const end = at + copied + (pointer > 0 ? 2 : 1);
    if (end > limit) return -1;
    for (let i = 0; i < copied; i++) out[at + i] = name[from + i] as number;
    if (pointer > 0) {
      out[end - 2] = 0xc0 | (pointer >>> 8);
      out[end - 1] = pointer & 0xff;
    } else out[end - 1] = 0;
    this.#learn(known, at - this.#start);
    return end;
  }

  /** Where the labels of a name begin, the root's included, and their hashes; how many there are. */
  #measure(name: Uint8Array, from: number): number {
    const starts = this.#starts;
    const hashes = this.#hashes;
    let labels = 0;
    let at = 0;
    for (let head = name[from] as number; head > 0; head = name[from + at] as number) {
      starts[labels++] = at;
      at += head + 1;
    }
    starts[labels] = at;
    let state = hashStart(0);
    let i = at - 1;
    for (let label = labels - 1; label >= 0; label--) {
      for (const begin = starts[label] as number; i >= begin; i--)
        state = hashByte(state, LOWER[name[from + i] as number] as number);
      hashes[label] = hashEnd(state);
    }
    return labels;
  }

  #find(name: Uint8Array, from: number, hash: number): number {
    for (let slot = hash & SLOT_MASK; ; slot = (slot + 1) & SLOT_MASK) {
      const offset = this.#offsets[slot] as number;
      if (offset === 0) return 0;
      if (this.#tags[slot] === hash && this.#same(name, from, offset)) return offset;
    }
  }

  /** Learn the first `labels` of the measured name, which lies at `offset`. */
  #learn(labels: number, offset: number): void {
    for (let i = 0; i < labels; i++) {
      const place = offset + (this.#starts[i] as number);
      if (place > FARTHEST || this.#count === MOST) return;
      const hash = this.#hashes[i] as number;
      let slot = hash & SLOT_MASK;
      while (this.#offsets[slot] !== 0) slot = (slot + 1) & SLOT_MASK;
      this.#offsets[slot] = place;
      this.#tags[slot] = hash;
      this.#used[this.#count++] = slot;
    }
  }

  #same(name: Uint8Array, from: number, offset: number): boolean {
    const out = this.#out;
    let at = this.#start + offset;
    for (let i = from; ;) {
      let head = out[at] as number;
      while (head >= 0xc0) {
        at = this.#start + (((head & 0x3f) << 8) | (out[at + 1] as number));
        head = out[at] as number;
      }
      if (head !== name[i]) return false;
      if (head === 0) return true;
      for (let k = 1; k <= head; k++) {
        const a = name[i + k] as number;
        const b = out[at + k] as number;
        if (a !== b && (this.exactCase || LOWER[a] !== LOWER[b])) return false;
      }
      i += head + 1;
      at += head + 1;
    }
  }
}
