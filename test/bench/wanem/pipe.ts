import { block } from "../../../src/sys/memory.ts";
import { GONE } from "../../../src/sys/socket.ts";
import type { Tun } from "../../../src/sys/tun.ts";
import { AT_ONCE, type Link, LOST, OVERFLOWED } from "./link.ts";

/** Bytes for one frame: an MTU of 1500 with room to spare. */
const SLOT = 2048;
/** Frames under way at most: a gigabit for a third of a second. */
const SLOTS = 32_768;
/** Frames read in a row before the other direction has its turn. */
const BATCH = 64;

export interface Counts {
  read: number;
  readBytes: number;
  written: number;
  writtenBytes: number;
  lost: number;
  overflowed: number;
  doubled: number;
  /** The kernel did not take it. */
  refused: number;
}

/** One direction: frames out of one TAP, after a while, into another. */
export class Pipe {
  readonly link: Link;
  readonly counts: Counts = {
    read: 0,
    readBytes: 0,
    written: 0,
    writtenBytes: 0,
    lost: 0,
    overflowed: 0,
    doubled: 0,
    refused: 0,
  };
  readonly #from: Tun;
  readonly #to: Tun;
  readonly #frames = block(SLOT * SLOTS);
  /** Of the frames under way, in the order in which they go out. */
  readonly #due = new Float64Array(SLOTS);
  readonly #lengths = new Uint16Array(SLOTS);
  #head = 0;
  #tail = 0;

  constructor(from: Tun, to: Tun, link: Link) {
    this.#from = from;
    this.#to = to;
    this.link = link;
  }

  /** When the next frame is due, µs; Infinity when none is under way. */
  get due(): number {
    return this.#head === this.#tail ? Infinity : (this.#due[this.#head] ?? 0);
  }

  /** Take what there is. False when the device is gone. */
  read(now: () => number): boolean {
    const { counts } = this;
    for (let i = 0; i < BATCH; i++) {
      const at = this.#frames.at + this.#tail * SLOT;
      const length = this.#from.read(at, SLOT);
      if (length <= 0) return length !== GONE;
      counts.read++;
      counts.readBytes += length;
      const due = this.link.admit(length, now());
      if (due === LOST) counts.lost++;
      else if (due === OVERFLOWED || this.#isFull()) counts.overflowed++;
      else if (due === AT_ONCE) this.#write(at, length);
      else this.#keep(due, length);
    }
    return true;
  }

  /** Send what is due. */
  write(now: number): void {
    while (this.#head !== this.#tail && (this.#due[this.#head] as number) <= now) {
      this.#write(this.#frames.at + this.#head * SLOT, this.#lengths[this.#head] as number);
      this.#head = (this.#head + 1) % SLOTS;
    }
  }

  #keep(due: number, length: number): void {
    const copies = this.link.isDoubled() ? 2 : 1;
    this.counts.doubled += copies - 1;
    const first = this.#tail;
    for (let i = 0; i < copies && !this.#isFull(); i++) {
      // The frame was read into the first of its slots.
      if (i > 0)
        this.#frames.bytes.copyWithin(this.#tail * SLOT, first * SLOT, first * SLOT + length);
      this.#due[this.#tail] = due;
      this.#lengths[this.#tail] = length;
      this.#tail = (this.#tail + 1) % SLOTS;
    }
  }

  #isFull(): boolean {
    return (this.#tail + 1) % SLOTS === this.#head;
  }

  #write(at: number, length: number): void {
    if (this.#to.write(at, length) < 0) this.counts.refused++;
    else {
      this.counts.written++;
      this.counts.writtenBytes += length;
    }
  }
}
