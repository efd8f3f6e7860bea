/** A version's bytes, from whoever has them; none is given out before its block is verified. */
import { Blocks, CopyReader, type Readable } from "./copy-reader.ts";
import { isThere, look } from "./copy.ts";
import { find } from "./find.ts";
import { type Member, MemberError } from "./members/member.ts";
import type { Name, Places } from "./names.ts";
import { BLOCK, sameVersion, showStamp, stampOf } from "./record.ts";
import type { Seat } from "./seat.ts";
import type { Shelf } from "./shelf.ts";

/** Files that are read in the thread itself where they can be. Bytes. */
const MAX_NEAR = 256 * 1024;

interface Attempt {
  readonly reader: CopyReader;
  /** Undefined: it is not what it should be, or failed. */
  readonly bytes?: Uint8Array | undefined;
  readonly error?: unknown;
}

/** Never rejects. */
function attempt(reader: CopyReader, block: number): Promise<Attempt> {
  return reader.block(block).then(
    (bytes) => ({ reader, bytes }),
    (error: unknown) => ({ reader, error }),
  );
}

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
  readonly #blocks: Blocks;
  readonly #failures: Failure[] = [];
  readonly #tried = new Set<Seat>();
  #ahead: { readonly block: number; readonly bytes: Uint8Array } | undefined;
  #reader: CopyReader | undefined;
  /** Hold one block each of those that were kept here, in turns; made when they are needed. */
  readonly #rooms: [Uint8Array?, Uint8Array?] = [];
  #turn: 0 | 1 = 0;
  #closed = false;

  /** `seats` have the version; the first one is read from for as long as it can be. */
  constructor(shelf: Shelf, name: Name, version: Readable, seats: readonly Seat[]) {
    this.version = version;
    this.#shelf = shelf;
    this.#name = name;
    this.#places = shelf.places(name);
    this.#seats = [...seats];
    this.#blocks = new Blocks(version, this.#places);
  }

  /** Have the block at `offset` ready: then there is somebody who can be read from. */
  async prepare(offset: number): Promise<void> {
    if (this.version.size === 0) return;
    const block = Math.floor(offset / BLOCK);
    this.#ahead = { block, bytes: this.#cached() ?? (await this.#fresh(block)) };
  }

  #cached(): Uint8Array | undefined {
    const { version } = this;
    return version.kind === "file" ? this.#shelf.common.cache?.get(this.#name, version) : undefined;
  }

  async #fresh(block: number): Promise<Uint8Array> {
    const { version } = this;
    const bytes = this.#now() ?? (await this.#block(block));
    if (version.kind === "file") this.#shelf.common.cache?.keep(this.#name, version, bytes);
    return bytes;
  }

  /** All of it, when it is prepared, few bytes, and verified; not to be changed. */
  get whole(): Uint8Array | undefined {
    const bytes = this.#ahead?.bytes;
    return bytes?.length === this.version.size && bytes.length <= MAX_NEAR ? bytes : undefined;
  }

  /** A small file that can be had at once, and is what it should be. */
  #now(): Uint8Array | undefined {
    const { size } = this.version;
    const near = this.#seats[0]?.member.near;
    if (size > MAX_NEAR || near === undefined || this.#blocks.sums === undefined) return undefined;
    const seen = near.read(this.#places.data, size);
    if (seen === undefined || seen === "absent" || seen.bytes.length !== size) return undefined;
    return this.#blocks.isRight(0, seen.bytes) ? seen.bytes : undefined;
  }

  /** As `lent`, but the pieces are the caller's. */
  async *bytes(from: number, to: number): AsyncGenerator<Uint8Array, void> {
    for await (const piece of this.lent(from, to)) yield new Uint8Array(piece);
  }

  /**
   * Bytes [from, to), each piece good until the next one is asked for; meanwhile that one is read.
   * Throws `Unreadable` when nobody has the rest. Close it when it is over.
   */
  async *lent(from: number, to: number): AsyncGenerator<Uint8Array, void> {
    let next: Promise<Uint8Array> | undefined;
    for (let at = from; at < to;) {
      const block = Math.floor(at / BLOCK);
      const ready = this.#ahead?.block === block ? this.#ahead.bytes : undefined;
      this.#ahead = undefined;
      const bytes = ready ?? (await (next ?? this.#block(block)));
      const start = block * BLOCK;
      next = start + BLOCK < to ? this.#block(block + 1) : undefined;
      next?.catch(() => {}); // told when its turn comes
      const piece = bytes.subarray(at - start, to - start);
      at += piece.length;
      yield piece;
    }
  }

  close(): void {
    this.#closed = true;
    this.#leave();
  }

  #leave(): void {
    this.#reader?.close();
    this.#reader = undefined;
  }

  /** A block that came from another machine before, and was kept on a disk of this one. */
  async #kept(block: number): Promise<Uint8Array | undefined> {
    const { blockCache } = this.#shelf.common;
    if (blockCache === undefined || !this.#isFar(this.#seats[0])) return undefined;
    this.#turn = this.#turn === 0 ? 1 : 0;
    const room = (this.#rooms[this.#turn] ??= new Uint8Array(Math.min(BLOCK, this.version.size)));
    return blockCache.get(this.#blocks, block, room);
  }

  /** Its data are not on a disk of this machine. */
  #isFar(seat: Seat | undefined): boolean {
    return seat !== undefined && seat.member.near === undefined;
  }

  /** The same block from one after the other, until one has it right. */
  async #block(block: number): Promise<Uint8Array> {
    const kept = await this.#kept(block);
    if (kept !== undefined) return kept;
    for (;;) {
      const seat = this.#seats[0] ?? (await this.#another());
      if (seat === undefined) throw this.#unreadable();
      if (this.#reader?.seat !== seat) this.#reader = new CopyReader(seat, this.#blocks);
      const { reader, bytes, error } = await this.#soonest(this.#reader, block);
      if (this.#closed) {
        reader.close();
        throw this.#unreadable(); // nobody wants it any more
      }
      if (bytes !== undefined) {
        if (reader !== this.#reader) this.#follow(reader);
        if (this.#isFar(reader.seat))
          this.#shelf.common.blockCache?.keep(this.#blocks, block, bytes);
        return bytes;
      }
      if (error === undefined) this.#failures.push(await this.#whatIsWrong(seat));
      else {
        if (!(error instanceof MemberError)) throw error;
        if (error.trouble === "away") seat.blame(error);
        this.#failures.push("broken");
        this.#say(seat, error.message);
      }
      this.#leave();
      this.#tried.add(seat);
      this.#seats.shift();
    }
  }

  /** Of `reader`, unless another one is asked too, since it is slow, and is the first to have it right. */
  async #soonest(reader: CopyReader, block: number): Promise<Attempt> {
    const { haste } = this.#shelf;
    return haste.sooner(
      this.#blocks.lengthOf(block),
      () => attempt(reader, block),
      () => {
        const seat = this.#rival();
        if (seat === undefined) return undefined;
        const other = new CopyReader(seat, this.#blocks);
        return { tried: attempt(other, block), giveUp: () => other.close() };
      },
      ({ bytes }) => bytes !== undefined,
    );
  }

  /** Somebody else who may have it. Who has not been asked so far is taken at the checksum's word. */
  #rival(): Seat | undefined {
    const [, known] = this.#seats;
    if (known !== undefined || this.#blocks.sums === undefined) return known;
    return this.#shelf
      .readers(this.#name)
      .find((seat) => seat.up && seat !== this.#seats[0] && !this.#tried.has(seat));
  }

  /** From now on it is read from that one, who is faster. */
  #follow(reader: CopyReader): void {
    this.#reader?.close();
    this.#reader = reader;
    const slower = this.#seats.filter((seat) => seat !== reader.seat);
    this.#seats.splice(0, Infinity, reader.seat, ...slower);
  }

  /** Somebody who has not been asked for the version so far. */
  async #another(): Promise<Seat | undefined> {
    const found = await find(this.#shelf, this.#name, { all: true });
    if (found.kind === "found" && sameVersion(found.version, this.version))
      this.#seats.push(...found.seats.filter((seat) => !this.#tried.has(seat)));
    return this.#seats[0];
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
