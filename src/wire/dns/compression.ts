/**
 * Where the names of a message being written lie, so that later ones point to them (RFC 1035,
 * 4.1.4): a table from a name's hash to an offset, emptied in one step.
 */
import { hashByte, hashEnd, hashStart, LOWER, MAX_LABELS } from "./name.ts";

/** Pointers have 14 bits. */
const FARTHEST = 0x3fff;
const SLOTS = 1024;
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
  readonly #starts = new Uint8Array(MAX_LABELS + 1);
  readonly #hashes = new Uint32Array(MAX_LABELS + 1);

  clear(): void {
    this.forget(0);
  }

  /** How many are known: give it to `forget` to go back to here. */
  get count(): number {
    return this.#count;
  }

  forget(count: number): void {
    while (this.#count > count) this.#offsets[this.#used[--this.#count] as number] = 0;
  }

  /**
   * Write `name`, which begins at `from` there, at `at` of the message that begins at `start`:
   * as many labels as are new, then a pointer. Where it ends; -1 when it does not by `limit`.
   */
  write(
    name: Uint8Array,
    from: number,
    out: Uint8Array,
    start: number,
    at: number,
    limit: number,
  ): number {
    const labels = this.#measure(name, from);
    let known = 0;
    let pointer = 0;
    for (; known < labels; known++) {
      pointer = this.#find(
        name,
        from + (this.#starts[known] as number),
        this.#hashes[known] as number,
        out,
        start,
      );
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
    for (let i = 0; i < known; i++)
      this.#learn(this.#hashes[i] as number, at - start + (this.#starts[i] as number));
    return end;
  }

  /** Learn the name that lies uncompressed at `at`. */
  note(out: Uint8Array, start: number, at: number): void {
    const labels = this.#measure(out, at);
    for (let i = 0; i < labels; i++)
      this.#learn(this.#hashes[i] as number, at - start + (this.#starts[i] as number));
  }

  /** Where the labels of a name begin, the root's included, and their hashes; how many there are. */
  #measure(name: Uint8Array, from: number): number {
    let labels = 0;
    let at = 0;
    for (let head = name[from] as number; head > 0; head = name[from + at] as number) {
      this.#starts[labels++] = at;
      at += head + 1;
    }
    this.#starts[labels] = at;
    let state = hashStart(0);
    let i = at - 1;
    for (let label = labels - 1; label >= 0; label--) {
      for (const begin = this.#starts[label] as number; i >= begin; i--)
        state = hashByte(state, LOWER[name[from + i] as number] as number);
      this.#hashes[label] = hashEnd(state);
    }
    return labels;
  }

  #find(name: Uint8Array, from: number, hash: number, out: Uint8Array, start: number): number {
    for (let slot = hash % SLOTS; ; slot = (slot + 1) % SLOTS) {
      const offset = this.#offsets[slot] as number;
      if (offset === 0) return 0;
      if (this.#tags[slot] === hash && this.#same(name, from, out, start, offset)) return offset;
    }
  }

  #learn(hash: number, offset: number): void {
    if (offset > FARTHEST || this.#count === MOST) return;
    let slot = hash % SLOTS;
    while (this.#offsets[slot] !== 0) slot = (slot + 1) % SLOTS;
    this.#offsets[slot] = offset;
    this.#tags[slot] = hash;
    this.#used[this.#count++] = slot;
  }

  #same(name: Uint8Array, from: number, out: Uint8Array, start: number, offset: number): boolean {
    let at = start + offset;
    for (let i = from; ;) {
      let head = out[at] as number;
      while (head >= 0xc0) {
        at = start + (((head & 0x3f) << 8) | (out[at + 1] as number));
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
