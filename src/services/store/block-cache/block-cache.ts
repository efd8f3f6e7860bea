/**
 * Blocks of files that came from other machines, on a disk of this one, shared by all workers. A block is called by the
 * SHA-256 of its file, which the record tells that is asked for first, and is verified like any other copy: so it can be
 * neither too old nor wrong, and nothing has to be put right after a crash.
 */
import { mkdirSync, readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";

import type { Closable } from "../../../core/lease.ts";
import type { Log } from "../../../observe/log.ts";
import type { Blocks } from "../copy-reader.ts";
import { BLOCK } from "../record.ts";
import { NAME, Slots } from "./slots.ts";

/** Lengths of slots; and shares of the budget, since small files are many. */
const KINDS = [
  { room: 64 * 1024, share: 0.25 },
  { room: BLOCK, share: 0.75 },
] as const;
/** Blocks on their way to the disk; while it cannot keep up, others are passed by. */
const MOST_WRITING = 4;
/** A disk that is full or broken is left alone for so long. Milliseconds. */
const REST_MS = 60_000;

export interface BlockCacheFigures {
  readonly hits: number;
  readonly misses: number;
  readonly kept: number;
  /** Not kept, since the disk was busy with others, full or broken. */
  readonly passed_by: number;
}

export interface BlockCacheParts {
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

export class BlockCache implements Closable {
  readonly #kinds: readonly Slots[];
  readonly #parts: BlockCacheParts;
  readonly #writing = new Map<string, Promise<void>>();
  readonly #reading = new Set<Promise<unknown>>();
  #closed = false;
  #restsUntil = -Infinity;
  #hits = 0;
  #misses = 0;
  #kept = 0;
  #passedBy = 0;

  private constructor(kinds: readonly Slots[], parts: BlockCacheParts) {
    this.#kinds = kinds;
    this.#parts = parts;
  }

  /** What is in `directory` is ours, and no more than `budget` bytes. Throws when it cannot be used. */
  static open(directory: string, budget: number, parts: BlockCacheParts): BlockCache {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const files = KINDS.map(({ room, share }) => {
      return { room, budget: budget * share, name: Slots.nameOf(room, budget * share) };
    });
    // Of another budget: whoever still has them open may go on.
    for (const name of readdirSync(directory))
      if (name.startsWith("blocks-") && !files.some((file) => file.name === name))
        unlinkSync(join(directory, name));
    const kinds: Slots[] = [];
    try {
      for (const { name, room, budget } of files) {
        const slots = Slots.open(join(directory, name), room, budget);
        if (slots !== undefined) kinds.push(slots);
      }
    } catch (error) {
      for (const slots of kinds) slots.close();
      throw error;
    }
    return new BlockCache(kinds, parts);
  }

  get figures(): BlockCacheFigures {
    const [hits, misses, kept] = [this.#hits, this.#misses, this.#kept];
    return { hits, misses, kept, passed_by: this.#passedBy };
  }

  /** A block, in `room` and verified; undefined: it is not here. Never rejects. */
  async get(blocks: Blocks, block: number, room: Uint8Array): Promise<Uint8Array | undefined> {
    const length = blocks.lengthOf(block);
    const reading = this.#read(blocks, block, room.subarray(0, length));
    this.#reading.add(reading);
    const found = await reading;
    this.#reading.delete(reading);
    if (found === undefined) this.#misses++;
    else this.#hits++;
    return found;
  }

  /** Keep a block that was verified; it may change later. */
  keep(blocks: Blocks, block: number, bytes: Uint8Array): void {
    const name = nameOf(blocks, block);
    const slots = this.#slotsFor(bytes.length);
    if (this.#closed || name === undefined || slots === undefined) return;
    const key = name.toString("latin1");
    const { wall } = this.#parts;
    if (this.#writing.has(key)) return;
    if (this.#writing.size >= MOST_WRITING || wall() < this.#restsUntil) {
      this.#passedBy++;
      return;
    }
    const written = this.#write(slots, name, new Uint8Array(bytes)).finally(() => {
      this.#writing.delete(key);
    });
    this.#writing.set(key, written);
  }

  /**
   * Whoever is being answered when time is up may still read, and then notes that: the files are closed behind them,
   * since their numbers are soon those of others.
   */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#writing.values(), ...this.#reading]);
    for (const slots of this.#kinds) slots.close();
  }

  async #read(blocks: Blocks, block: number, target: Uint8Array): Promise<Uint8Array | undefined> {
    const name = nameOf(blocks, block);
    const slots = this.#slotsFor(target.length);
    if (this.#closed || name === undefined || slots === undefined) return undefined;
    try {
      const slot = slots.find(name);
      if (slot === undefined) return undefined;
      const bytes = slot.length === target.length ? await slots.read(slot.at, target) : undefined;
      if (bytes !== undefined && blocks.isRight(block, bytes)) {
        slots.used(slot, name, this.#seconds);
        return bytes;
      }
      if (slots.find(name)?.at === slot.at) slots.forget(slot.at);
    } catch (error) {
      this.#troubled(error);
    }
    return undefined;
  }

  async #write(slots: Slots, name: Buffer, bytes: Uint8Array): Promise<void> {
    try {
      if (slots.find(name) !== undefined) return; // another worker was faster
      await slots.write(slots.choose(name), name, bytes, this.#seconds);
      this.#kept++;
    } catch (error) {
      this.#passedBy++;
      this.#troubled(error);
    }
  }

  #troubled(error: unknown): void {
    const { log, wall } = this.#parts;
    if (wall() < this.#restsUntil) return;
    this.#restsUntil = wall() + REST_MS;
    log.warn("the cache on disk cannot be used, and is left alone for a minute", { error });
  }

  #slotsFor(length: number): Slots | undefined {
    return this.#kinds.find(({ room }) => length <= room);
  }

  get #seconds(): number {
    return Math.floor(this.#parts.wall() / 1000);
  }
}

/** 16 bytes of the file's SHA-256 and the block's number; undefined: nothing is known of its bytes. */
function nameOf({ version, sums }: Blocks, block: number): Buffer | undefined {
  if (version.kind !== "file" || sums === undefined) return undefined;
  const name = Buffer.alloc(NAME);
  name.write(version.sha256, 0, NAME - 4, "hex");
  name.writeUInt32LE(block, NAME - 4);
  return name;
}
