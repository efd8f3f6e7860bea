import { Copier } from "../../../sys/copier.ts";
import { CLASS, TYPE } from "../../../wire/dns/types.ts";
import { QNAME } from "../../../wire/dns/writer.ts";
import { Tail } from "../tail.ts";
import type { RecordSet } from "./tiers.ts";

/** Types whose rdata has names that a writer makes shorter (RFC 3597, 4): not worth keeping ready. */
const COMPRESSED: ReadonlySet<number> = new Set([TYPE.CNAME, TYPE.NS, TYPE.PTR, TYPE.MX, TYPE.SOA]);
/** Owner (a pointer to the question), type, class, TTL and length in front of the rdata. */
const FIXED = 12;

/**
 * The records of a set as they stand in an answer to who asks for their name, all of them twice:
 * whatever turn it is, those that come one after the other are one run of bytes.
 */
export class ReadyRecords {
  readonly #bytes: Uint8Array;
  /** Where each begins, and the last ends. */
  readonly #at: Uint32Array;
  readonly #size: number;
  readonly #chosen: Uint8Array;
  readonly #tail = new Tail();

  /** Undefined when the set's records are not to be kept so. */
  static of(set: RecordSet): ReadyRecords | undefined {
    return COMPRESSED.has(set.type) ? undefined : new ReadyRecords(set);
  }

  private constructor({ type, ttl, members }: RecordSet) {
    const rdatas = members.map(({ config }) => config.rdata);
    const all = [...rdatas, ...rdatas];
    this.#size = rdatas.length;
    this.#at = new Uint32Array(all.length + 1);
    for (const [i, { length }] of all.entries())
      this.#at[i + 1] = (this.#at[i] as number) + FIXED + length;
    const bytes = new Uint8Array(new ArrayBuffer(this.#at.at(-1) as number));
    const view = new DataView(bytes.buffer);
    for (const [i, rdata] of all.entries()) {
      const at = this.#at[i] as number;
      view.setUint16(at, 0xc000 | QNAME);
      view.setUint16(at + 2, type);
      view.setUint16(at + 4, CLASS.IN);
      view.setUint32(at + 6, ttl);
      view.setUint16(at + 10, rdata.length);
      bytes.set(rdata, at + FIXED);
    }
    this.#bytes = bytes;
    this.#chosen = new Uint8Array(new ArrayBuffer(bytes.length / 2));
    this.#tail.authoritative = true;
  }

  /** The answer with the first `count` of `picks`. Good until the next call. */
  tail(picks: Uint16Array, count: number): Tail {
    const at = this.#at;
    const tail = this.#tail;
    let runs = true;
    for (let i = 1; i < count && runs; i++) runs = picks[i] === next(picks[i - 1], this.#size);
    tail.answers = count;
    if (runs) {
      const first = picks[0] as number;
      tail.bytes = this.#bytes;
      tail.from = at[first] as number;
      tail.length = (at[first + count] as number) - tail.from;
    } else {
      tail.bytes = this.#chosen;
      tail.from = tail.length = 0;
      for (let i = 0; i < count; i++) {
        const from = at[picks[i] as number] as number;
        const length = (at[(picks[i] as number) + 1] as number) - from;
        copier.copy(this.#bytes, from, this.#chosen, tail.length, length);
        tail.length += length;
      }
    }
    tail.requiredLength = tail.length;
    return tail;
  }
}

const copier = new Copier();

function next(pick: number | undefined, size: number): number {
  return pick === undefined || pick + 1 === size ? 0 : pick + 1;
}
