/** Smallest and largest block: a body of unknown length is kept in blocks that double. */
const FIRST = 16 * 1024;
const LARGEST = 512 * 1024;
/** Unused room at the end that is worth a copy. */
const WASTE = 1 / 8;

/** Bytes that are added at the end and read from anywhere while they grow. */
export class Growing {
  readonly #blocks: Uint8Array[] = [];
  /** Offset of each block's first byte; of those forgotten too. */
  readonly #starts: number[] = [];
  #forgotten = 0;
  #room = 0;
  length = 0;

  readonly #full: (block: Uint8Array) => void;

  /** `expected` bytes in all, if known. `full` is called with each block that will not change any more. */
  constructor(
    readonly expected: number | undefined,
    full: (block: Uint8Array) => void = () => {},
  ) {
    this.#full = full;
  }

  /** Offset of the first byte that is still here. */
  get first(): number {
    return this.#forgotten;
  }

  add(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to;) {
      if (this.#room === 0) this.#grow();
      const block = this.#blocks[this.#blocks.length - 1] as Uint8Array; // just made, at least
      const take = Math.min(this.#room, to - at);
      // A Buffer's `subarray` is one too; `set` takes either.
      block.set(bytes.subarray(at, at + take), block.length - this.#room);
      this.#room -= take;
      this.length += take;
      at += take;
      if (this.#room === 0) this.#full(block);
    }
  }

  /** Tell `take` of the bytes in [from, to), block by block, as long as it wants more. Answers how far it got. */
  tell(
    from: number,
    to: number,
    take: (bytes: Uint8Array, from: number, to: number) => boolean,
  ): number {
    const end = Math.min(to, this.length);
    let at = from;
    for (let i = this.#blockOf(at); at < end; i++) {
      const start = this.#starts[i] as number; // blocks cover all up to `length`
      const block = this.#blocks[i] as Uint8Array;
      const stop = Math.min(end, start + block.length);
      const more = take(block, at - start, stop - start);
      at = stop;
      if (!more) break;
    }
    return at;
  }

  /** Forget whole blocks before `offset`: nobody will read them. */
  forget(offset: number): void {
    while (this.#blocks.length > 1 && (this.#starts[1] as number) <= offset) {
      this.#forgotten += (this.#blocks.shift() as Uint8Array).length;
      this.#starts.shift();
    }
  }

  /** Blocks that will not change any more. */
  sealed(): Uint8Array[] {
    return this.#room === 0 ? [...this.#blocks] : this.#blocks.slice(0, -1);
  }

  /** What of the last one is used, when there is room in it. */
  unsealed(): Uint8Array | undefined {
    const last = this.#room === 0 ? undefined : this.#blocks.at(-1);
    return last?.subarray(0, last.length - this.#room);
  }

  /** All of it, when it is whole. */
  pieces(): Uint8Array[] {
    const last = this.#blocks.at(-1);
    if (last === undefined || this.#room === 0) return [...this.#blocks];
    const used = last.subarray(0, last.length - this.#room);
    const rest = this.#room > last.length * WASTE ? used.slice() : used;
    return [...this.#blocks.slice(0, -1), rest];
  }

  #grow(): void {
    const last = this.#blocks.at(-1);
    const known = this.expected === undefined ? 0 : this.expected - this.length;
    const size = known > 0 ? known : last === undefined ? FIRST : last.length * 2;
    this.#room = Math.min(size, LARGEST);
    this.#starts.push(this.length);
    this.#blocks.push(new Uint8Array(new ArrayBuffer(this.#room)));
  }

  #blockOf(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
