import type { Memory } from "../../../src/wire/tunnel/memory.ts";
import { ParityReader, type ParityRules, ParityWriter } from "../../../src/wire/tunnel/parity.ts";
import { AT, KIND, TRAILER } from "../../../src/wire/tunnel/plaintext.ts";
import { Repair } from "../../../src/wire/tunnel/repair.ts";
import { Bbr } from "../../../src/wire/udt/congestion/bbr.ts";

/** Of a datagram: the path's MTU is 1500. */
const ROOM = 1424;

/** One end of a repaired path with parity or without, as services/tunnel/repaired-carriage.ts has it. */
export class RepairedEnd {
  readonly repair: Repair;
  readonly mender = new ParityReader(ROOM + TRAILER);
  readonly #parity: ParityWriter | undefined;

  constructor(
    fec: ParityRules | undefined,
    random: () => number,
    now: number,
    deliver: (plain: Uint8Array) => void,
  ) {
    const congestion = (): Bbr => new Bbr(random());
    // A parity is so much longer than what it stands for.
    const room = ROOM - (fec === undefined ? 0 : TRAILER);
    this.repair = new Repair({ room, congestion, patience: 3000, random, deliver }, now);
    this.#parity = fec === undefined ? undefined : new ParityWriter(fec, room + TRAILER);
  }

  get wakeAt(): number {
    return this.repair.wakeAt;
  }

  /** The next plaintext to be sent, to `at`: its length, 0: none is due. */
  poll(now: number, memory: Memory, at: number): number {
    const parity = this.#parity?.take(memory, at) ?? 0;
    if (parity > 0) return parity;
    const length = this.repair.poll(now, memory, at);
    if (length > 0) this.#parity?.add(memory, at, length);
    return length;
  }

  /** A plaintext came: `length` bytes at `at`. */
  receive(memory: Memory, at: number, length: number, now: number): void {
    let plain = length;
    if (memory.bytes[at + length - TRAILER + AT.kind] === KIND.parity)
      plain = this.mender.take(memory, at, length);
    else this.mender.saw(memory, at, length);
    if (plain > 0) this.repair.receive(memory, at, plain, now);
  }
}
