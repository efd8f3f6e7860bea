/** One copy of a version, block by block. */
import { crc32 } from "node:zlib";

import { type Reading, within } from "./members/member.ts";
import type { Places } from "./names.ts";
import { type BareVersion, BLOCK, blocksOf, type FileVersion } from "./record.ts";
import type { Seat } from "./seat.ts";

export type Readable = FileVersion | BareVersion;

/** What all copies of a version have in common. */
export class Blocks {
  readonly version: Readable;
  /** Where a member has it. */
  readonly at: string;
  /** Undefined: nothing is known of its bytes. */
  readonly sums: Uint32Array | undefined;

  constructor(version: Readable, { bare, data }: Places) {
    this.version = version;
    this.at = version.kind === "bare" ? bare : data;
    this.sums = version.kind === "file" ? blocksOf(version) : undefined;
  }

  /** Bytes in a block. */
  lengthOf(block: number): number {
    return Math.min(BLOCK, this.version.size - block * BLOCK);
  }

  isRight(block: number, bytes: Uint8Array): boolean {
    return this.sums === undefined || crc32(bytes) === this.sums[block];
  }
}

export class CopyReader {
  readonly seat: Seat;
  readonly #blocks: Blocks;
  readonly #gone = new AbortController();
  #starting = false;
  /** Hold one block each, in turns; made when they are needed. */
  readonly #buffers: [Uint8Array?, Uint8Array?] = [];
  #turn: 0 | 1 = 0;
  #open: { readonly source: Source; block: number } | undefined;

  constructor(seat: Seat, blocks: Blocks) {
    this.seat = seat;
    this.#blocks = blocks;
  }

  /**
   * The block, good until the one after the next is asked for; undefined: it is not what it should be. Rejects
   * as members do. One at a time.
   */
  async block(block: number): Promise<Uint8Array | undefined> {
    const { version } = this.#blocks;
    if (this.#open?.block !== block) {
      this.#shut();
      const reading = await this.#start(block);
      if (reading === undefined) return undefined;
      this.#open = { source: new Source(reading, this.seat.member.where), block };
    }
    const open = this.#open;
    if (open.source.reading.size !== version.size) return undefined;
    const bytes = await open.source.take(this.#room(this.#blocks.lengthOf(block)));
    open.block++;
    if (open.block * BLOCK >= version.size) this.#shut();
    return bytes !== undefined && this.#blocks.isRight(block, bytes) ? bytes : undefined;
  }

  #room(length: number): Uint8Array {
    this.#turn = this.#turn === 0 ? 1 : 0;
    const size = Math.min(BLOCK, this.#blocks.version.size);
    return (this.#buffers[this.#turn] ??= new Uint8Array(size)).subarray(0, length);
  }

  /** It is over, also for what is under way. */
  close(): void {
    if (this.#starting) this.#gone.abort(); // what is open knows best how to end
    this.#shut();
  }

  async #start(block: number): Promise<Reading | undefined> {
    const { at, version } = this.#blocks;
    const { signal } = this.#gone;
    this.#starting = true;
    const reading = await this.seat.do(async (member) => {
      try {
        return await member.read(at, block * BLOCK, version.size, signal);
      } catch (error) {
        if (signal.aborted) return undefined; // it was us: the member is not to blame
        throw error;
      }
    });
    this.#starting = false;
    if (!signal.aborted) return reading;
    reading?.close();
    return undefined;
  }

  #shut(): void {
    this.#open?.source.reading.close();
    this.#open = undefined;
  }
}

/** A reading by lengths instead of as it comes. */
class Source {
  readonly reading: Reading;
  readonly #where: string;
  /** Came with the bytes before, and belongs to the next. */
  #rest: Uint8Array = new Uint8Array();

  constructor(reading: Reading, where: string) {
    this.reading = reading;
    this.#where = where;
  }

  /** `target`, full of the next bytes; undefined when there are fewer. */
  async take(target: Uint8Array): Promise<Uint8Array | undefined> {
    const { length } = target;
    for (let filled = 0; filled < length;) {
      const room = target.subarray(filled);
      const piece =
        this.#rest.length > 0 ? this.#rest : await within(this.reading.next(room), this.#where);
      if (piece === undefined) return undefined;
      const fits = piece.subarray(0, room.length);
      // What was read into the room is there already.
      if (fits.buffer !== room.buffer) room.set(fits);
      filled += fits.length;
      this.#rest = piece.subarray(fits.length);
    }
    return target;
  }
}
