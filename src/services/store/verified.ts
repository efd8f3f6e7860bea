/** A version's bytes, from whoever has them; none is given out before its block is verified. */
import { crc32 } from "node:zlib";

import { isThere, look } from "./copy.ts";
import { find } from "./find.ts";
import { type Member, MemberError, type Reading, within } from "./members/member.ts";
import type { Name, Places } from "./names.ts";
import {
  type BareVersion,
  BLOCK,
  blocksOf,
  type FileVersion,
  sameVersion,
  showStamp,
  stampOf,
} from "./record.ts";
import type { Seat } from "./seat.ts";
import type { Shelf } from "./shelf.ts";

/** Files that are read in the thread itself where they can be. Bytes. */
const MAX_NEAR = 256 * 1024;

export type Readable = FileVersion | BareVersion;

/** Why the bytes cannot be had. */
export class Unreadable extends Error {
  override name = "Unreadable";
  /** "moved": another version is there now. "hollow": whoever has the record has no data. */
  readonly kind: "moved" | "hollow" | "broken";

  constructor(kind: "moved" | "hollow" | "broken", message: string) {
    super(message);
    this.kind = kind;
  }
}

/** What was wrong with the copies that were tried. */
type Failure = "moved" | "hollow" | "broken";

export class Verified {
  readonly version: Readable;
  readonly #shelf: Shelf;
  readonly #name: Name;
  readonly #places: Places;
  readonly #seats: Seat[];
  /** Holds one block at a time; made when one is read. */
  #buffer = new Uint8Array();
  readonly #sums: Uint32Array | undefined;
  readonly #failures: Failure[] = [];
  readonly #tried = new Set<Seat>();
  #ahead: { readonly block: number; readonly bytes: Uint8Array } | undefined;
  #open: { readonly source: Source; readonly seat: Seat; block: number } | undefined;

  /** `seats` have the version; the first one is read from for as long as it can be. */
  constructor(shelf: Shelf, name: Name, version: Readable, seats: readonly Seat[]) {
    this.version = version;
    this.#shelf = shelf;
    this.#name = name;
    this.#places = shelf.places(name);
    this.#seats = [...seats];
    this.#sums = version.kind === "file" ? blocksOf(version) : undefined;
  }

  /** Have the block at `offset` ready: then there is somebody who can be read from. */
  async prepare(offset: number): Promise<void> {
    if (this.version.size === 0) return;
    const block = Math.floor(offset / BLOCK);
    this.#ahead = { block, bytes: this.#now() ?? (await this.#block(block)) };
  }

  /** All of it, when it is prepared, few bytes, and verified: the caller's. */
  get whole(): Uint8Array | undefined {
    const bytes = this.#ahead?.bytes;
    return bytes?.length === this.version.size && bytes.length <= MAX_NEAR ? bytes : undefined;
  }

  /** A small file that can be had at once, and is what it should be. */
  #now(): Uint8Array | undefined {
    const { size } = this.version;
    const near = this.#seats[0]?.member.near;
    if (size > MAX_NEAR || near === undefined || this.#sums === undefined) return undefined;
    const seen = near.read(this.#places.data, size);
    if (seen === undefined || seen === "absent" || seen.bytes.length !== size) return undefined;
    return crc32(seen.bytes) === this.#sums[0] ? seen.bytes : undefined;
  }

  /** As `lent`, but the pieces are the caller's. */
  async *bytes(from: number, to: number): AsyncGenerator<Uint8Array, void> {
    for await (const piece of this.lent(from, to)) yield Uint8Array.from(piece);
  }

  /**
   * Bytes [from, to), each piece good until the next one is asked for. Throws `Unreadable` when
   * nobody has the rest. Close it when it is over.
   */
  async *lent(from: number, to: number): AsyncGenerator<Uint8Array, void> {
    for (let at = from; at < to;) {
      const block = Math.floor(at / BLOCK);
      const ready = this.#ahead?.block === block ? this.#ahead.bytes : undefined;
      this.#ahead = undefined;
      const bytes = ready ?? (await this.#block(block));
      const start = block * BLOCK;
      const piece = bytes.subarray(at - start, to - start);
      at += piece.length;
      yield piece;
    }
  }

  close(): void {
    this.#open?.source.reading.close();
    this.#open = undefined;
  }

  /** The same block from one after the other, until one has it right. */
  async #block(block: number): Promise<Uint8Array> {
    for (;;) {
      const seat = this.#seats[0] ?? (await this.#another());
      if (seat === undefined) throw this.#unreadable();
      try {
        const bytes = await this.#read(seat, block);
        if (bytes !== undefined) return bytes;
        this.#failures.push(await this.#whatIsWrong(seat));
      } catch (error) {
        if (!(error instanceof MemberError)) throw error;
        if (error.trouble === "away") seat.blame(error);
        this.#failures.push("broken");
        this.#say(seat, error.message);
      }
      this.close();
      // A read that was given up may still write into the old one.
      this.#buffer = new Uint8Array();
      this.#tried.add(seat);
      this.#seats.shift();
    }
  }

  /** Somebody who has not been asked for the version so far. */
  async #another(): Promise<Seat | undefined> {
    const found = await find(this.#shelf, this.#name, { all: true });
    if (found.kind === "found" && sameVersion(found.version, this.version))
      this.#seats.push(...found.seats.filter((seat) => !this.#tried.has(seat)));
    return this.#seats[0];
  }

  /** Undefined: it is not what it should be. */
  async #read(seat: Seat, block: number): Promise<Uint8Array | undefined> {
    if (this.#open?.seat !== seat || this.#open.block !== block) {
      this.close();
      const reading = await seat.do((member) => this.#start(member, block));
      if (reading === undefined) return undefined;
      if (this.#buffer.length === 0)
        this.#buffer = new Uint8Array(Math.min(BLOCK, this.version.size));
      this.#open = { source: new Source(reading, seat.member.where, this.#buffer), seat, block };
    }
    const open = this.#open;
    if (open.source.reading.size !== this.version.size) return undefined;
    const length = Math.min(BLOCK, this.version.size - block * BLOCK);
    const bytes = await open.source.take(length);
    open.block++;
    if (open.block * BLOCK >= this.version.size) this.close();
    if (bytes === undefined) return undefined;
    return this.#sums === undefined || crc32(bytes) === this.#sums[block] ? bytes : undefined;
  }

  #start(member: Member, block: number): Promise<Reading | undefined> {
    const { bare, data } = this.#places;
    const at = this.version.kind === "bare" ? bare : data;
    return member.read(at, block * BLOCK, this.version.size);
  }

  /** The data are not this version's: because there is a newer one, or because they are damaged. */
  async #whatIsWrong(seat: Seat): Promise<Failure> {
    const { member } = seat;
    const held = await look(member, this.#places, this.#shelf).catch(() => undefined); // away
    if (held !== undefined && (!held.version || !sameVersion(held.version, this.version)))
      return "moved";
    const facts = await member.facts(this.#places.data).catch(() => undefined); // away
    if (this.version.kind === "file" && held !== undefined) {
      // While it is being replaced neither fits; a moment later the record says so.
      if (facts !== undefined && !(await this.#isDamaged(member))) return "moved";
      this.#say(seat, facts === undefined ? "the data are gone" : "the data are damaged");
      this.#shelf.common.hints.suggest({
        name: this.#name,
        member: seat.id,
        stamp: stampOf(this.version),
        suspect: true,
      });
    }
    return facts === undefined ? "hollow" : "broken";
  }

  async #isDamaged(member: Member): Promise<boolean> {
    const again = await isThere(member, this.#places, this.version).catch(() => true); // as good as
    return !again;
  }

  #say(seat: Seat, why: string): void {
    this.#shelf.common.log.warn("a copy cannot be read", {
      path: this.#name.path,
      stage: this.#shelf.number,
      member: seat.id,
      version: showStamp(stampOf(this.version)),
      why,
    });
  }

  #unreadable(): Unreadable {
    const failures = new Set(this.#failures);
    const kind = failures.has("moved")
      ? "moved"
      : failures.has("broken") || failures.size === 0
        ? "broken"
        : "hollow";
    return new Unreadable(kind, `${this.#name.path}: no copy can be read`);
  }
}

/** A reading by lengths instead of as it comes. */
class Source {
  readonly reading: Reading;
  readonly #where: string;
  readonly #buffer: Uint8Array;
  /** Came with the bytes before, and belongs to the next. */
  #rest: Uint8Array = new Uint8Array();

  /** `buffer` has room for every length that is taken. */
  constructor(reading: Reading, where: string, buffer: Uint8Array) {
    this.reading = reading;
    this.#where = where;
    this.#buffer = buffer;
  }

  /** So many bytes, in the buffer; undefined when there are fewer. */
  async take(length: number): Promise<Uint8Array | undefined> {
    const target = this.#buffer.subarray(0, length);
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
