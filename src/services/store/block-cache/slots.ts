/**
 * A file of slots of one length, some of which are a set: what a block is called says which set it is in. In front of
 * them stands who is where. Several processes use it at once, and nobody locks anything: whoever reads a block knows
 * its checksum, so what is torn, or was replaced just then, is as good as not there.
 *
 *     entry   20 bytes of name, length, last used (seconds since 1970), uses: little-endian, four bytes each
 */
import fs, { closeSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { promisify } from "node:util";

const { O_CREAT, O_NOFOLLOW, O_RDWR } = fs.constants;
/** Of a block's name. */
export const NAME = 20;
const ENTRY = 32;
const [LENGTH, USED, USES] = [NAME, NAME + 4, NAME + 8];
/** Slots of a set. */
const WAYS = 8;
const PAGE = 4096;
/** Each use, up to so many, keeps a block as if it had been used so much later: one long file drives out no others. */
const MOST_USES = 3;
const USE_S = 3600;

/** In other threads. */
const read = promisify(fs.read);
const write = promisify(fs.write);

/** A slot that a block was found in. */
export interface Slot {
  readonly at: number;
  readonly length: number;
  readonly uses: number;
}

export class Slots {
  /** Bytes that fit into a slot. */
  readonly room: number;
  readonly #fd: number;
  readonly #sets: number;
  readonly #set = Buffer.alloc(WAYS * ENTRY);
  readonly #entry = Buffer.alloc(ENTRY);

  private constructor(fd: number, room: number, sets: number) {
    this.#fd = fd;
    this.room = room;
    this.#sets = sets;
  }

  /** What the file is called that holds `budget` bytes of slots: another length is another file. */
  static nameOf(room: number, budget: number): string {
    return `blocks-${room}-${setsIn(room, budget)}`;
  }

  /**
   * Open the file at `path`, or make it; undefined: `budget`, in bytes, is too little for one set. Throws as open does,
   * for a link too: somebody else's file would be cut.
   */
  static open(path: string, room: number, budget: number): Slots | undefined {
    const sets = setsIn(room, budget);
    if (sets === 0) return undefined;
    const fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
    const slots = new Slots(fd, room, sets);
    try {
      ftruncateSync(fd, slots.#dataAt(sets * WAYS)); // holes: it takes what is kept in it
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return slots;
  }

  /** Where the block `name` is; undefined: nowhere. Throws as reading does. */
  find(name: Buffer): Slot | undefined {
    const first = this.#load(name);
    for (let way = 0; way < WAYS; way++) {
      const from = way * ENTRY;
      const length = this.#set.readUInt32LE(from + LENGTH);
      if (length === 0 || length > this.room) continue;
      if (this.#set.compare(name, 0, NAME, from, from + NAME) !== 0) continue;
      return { at: first + way, length, uses: this.#set.readUInt32LE(from + USES) };
    }
    return undefined;
  }

  /** The slot of its set that is empty, or can be done without sooner than others. */
  choose(name: Buffer): number {
    const first = this.#load(name);
    let [chosen, least] = [0, Infinity];
    for (let way = 0; way < WAYS; way++) {
      const from = way * ENTRY;
      if (this.#set.readUInt32LE(from + LENGTH) === 0) return first + way;
      const uses = Math.min(MOST_USES, this.#set.readUInt32LE(from + USES));
      const worth = this.#set.readUInt32LE(from + USED) + uses * USE_S;
      if (worth < least) [chosen, least] = [way, worth];
    }
    return first + chosen;
  }

  /** The first bytes of a slot, in `target`; undefined: they are not all there. */
  async read(at: number, target: Uint8Array): Promise<Uint8Array | undefined> {
    const { bytesRead } = await read(this.#fd, target, 0, target.length, this.#dataAt(at));
    return bytesRead === target.length ? target : undefined;
  }

  /** Put a block there in place of what is; `seconds` since 1970. */
  async write(at: number, name: Buffer, bytes: Uint8Array, seconds: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const rest = bytes.length - done;
      done += (await write(this.#fd, bytes, done, rest, this.#dataAt(at) + done)).bytesWritten;
    }
    this.#say(at, name, bytes.length, seconds, 0);
  }

  /** It was of use. */
  used(slot: Slot, name: Buffer, seconds: number): void {
    this.#say(slot.at, name, slot.length, seconds, Math.min(MOST_USES, slot.uses + 1));
  }

  /** What is there is not what it should be. */
  forget(at: number): void {
    writeSync(this.#fd, this.#entry.fill(0), 0, ENTRY, at * ENTRY);
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Read the entries of the set that `name` belongs to; answers its first slot. */
  #load(name: Buffer): number {
    const first = ((name.readUInt32LE(0) ^ name.readUInt32LE(NAME - 4)) >>> 0) % this.#sets;
    this.#set.fill(0);
    readSync(this.#fd, this.#set, 0, this.#set.length, first * this.#set.length);
    return first * WAYS;
  }

  #say(at: number, name: Buffer, length: number, seconds: number, uses: number): void {
    const entry = this.#entry;
    name.copy(entry, 0, 0, NAME);
    entry.writeUInt32LE(length, LENGTH);
    entry.writeUInt32LE(seconds >>> 0, USED);
    entry.writeUInt32LE(uses, USES);
    writeSync(this.#fd, entry, 0, ENTRY, at * ENTRY);
  }

  #dataAt(at: number): number {
    const entries = Math.ceil((this.#sets * WAYS * ENTRY) / PAGE) * PAGE;
    return entries + at * this.room;
  }
}

function setsIn(room: number, budget: number): number {
  return Math.floor(budget / ((room + ENTRY) * WAYS));
}
