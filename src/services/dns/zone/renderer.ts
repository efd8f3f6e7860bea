import { CLASS, TYPE } from "../../../wire/dns/types.ts";
import { type MessageWriter, QNAME, SECTION, type Section } from "../../../wire/dns/writer.ts";
import { AS_ASKED, type Entries, KIND, type Outcome } from "./outcome.ts";
import type { RecordStore } from "./record-store.ts";
import type { Zone } from "./zone.ts";

/** The farthest that an owner can be pointed to (RFC 1035, 4.1.4). */
const FARTHEST = 0x3fff;

/** What to write, and where to. */
export interface Rendering {
  readonly zone: Zone;
  readonly outcome: Outcome;
  /** Whether signatures go along. */
  readonly dnssec: boolean;
  /** The question is in it. */
  readonly writer: MessageWriter;
  /** The name of the question in lower case. */
  readonly key: Uint8Array;
  readonly keyLength: number;
}

/** Where what must be sent ends, and how many of the additional records belong to it. */
export interface Extent {
  end: number;
  additionals: number;
}

/** Writes what a `Resolver` found behind the question. One for each thread. */
export class Renderer {
  readonly #owner = new Uint8Array(256);

  /**
   * Write all there is room for. False when answer, authority and glue did not fit; otherwise
   * `extent` says where they end: what is behind may be left out (RFC 2181, 9).
   */
  render(rendering: Rendering, extent: Extent): boolean {
    const { writer, outcome } = rendering;
    if (!this.#section(rendering, SECTION.ANSWER, outcome.answer)) return false;
    if (!this.#section(rendering, SECTION.AUTHORITY, outcome.authority)) return false;
    if (!this.#section(rendering, SECTION.ADDITIONAL, outcome.glue)) return false;
    extent.end = writer.at;
    extent.additionals = writer.count(SECTION.ADDITIONAL);
    for (let i = 0; i < outcome.additional.length; i++) {
      writer.mark();
      if (!this.#entry(rendering, SECTION.ADDITIONAL, outcome.additional, i)) {
        writer.rewind();
        break;
      }
    }
    return true;
  }

  #section(rendering: Rendering, section: Section, entries: Entries): boolean {
    for (let i = 0; i < entries.length; i++)
      if (!this.#entry(rendering, section, entries, i)) return false;
    return true;
  }

  #entry(rendering: Rendering, section: Section, entries: Entries, i: number): boolean {
    const { zone, dnssec } = rendering;
    const kind = entries.kinds[i];
    const set = entries.sets[i] as number;
    const owner = entries.owners[i] as number;
    if (kind === KIND.SYNTHESIZED)
      return this.#synthesized(rendering, set, owner, entries.targets[i] as number);
    const store = kind === KIND.HASHED ? zone.hashed : zone.store;
    const ttl = kind === KIND.NEGATIVE ? zone.negativeTtl : store.ttl(set);
    const from = kind === KIND.SIGNATURES ? store.count(set) : 0;
    const signed = dnssec && kind !== KIND.BARE;
    const to = store.count(set) + (signed || from > 0 ? store.signatures(set) : 0);
    return this.#records(rendering, section, store, set, from, to, owner, ttl);
  }

  /** The records `from` to before `to` of a set, its signatures counted behind the others. */
  #records(
    rendering: Rendering,
    section: Section,
    store: RecordStore,
    set: number,
    from: number,
    to: number,
    owner: number,
    ttl: number,
  ): boolean {
    const { writer } = rendering;
    const data = store.count(set);
    let pointer = this.#place(rendering, store, owner);
    let record = store.records(set);
    for (let i = 0; i < to; i++) {
      const at = store.rdataAt(record);
      const end = store.next(record);
      record = end;
      if (i < from) continue;
      const type = i < data ? store.type(set) : TYPE.RRSIG;
      const begin = writer.at;
      if (pointer > 0) {
        if (!writer.addAt(section, pointer, type, CLASS.IN, ttl, store.rdata, at, end))
          return false;
        continue;
      }
      const rdata = store.rdata.subarray(at, end);
      if (!writer.add(section, this.#owner, type, CLASS.IN, ttl, rdata)) return false;
      pointer = placeOfName(writer, begin);
    }
    return true;
  }

  /** Where in the message the owner is already; else 0, and `#owner` has the name. */
  #place(rendering: Rendering, store: RecordStore, owner: number): number {
    if (owner === AS_ASKED) return QNAME;
    if (owner < AS_ASKED) {
      this.#copyKept(rendering.outcome, owner);
      return 0;
    }
    const { key, keyLength } = rendering;
    const length = store.names.write(owner, this.#owner, 0);
    const cut = keyLength - length;
    if (cut < 0) return 0;
    for (let i = 0; i < length; i++) if (key[cut + i] !== this.#owner[i]) return 0;
    return isBorder(key, cut) ? QNAME + cut : 0;
  }

  #synthesized(rendering: Rendering, set: number, owner: number, target: number): boolean {
    const { writer, outcome, zone } = rendering;
    const from = outcome.keptAt(target);
    const rdata = outcome.names.subarray(from, outcome.keptEnd(from));
    const ttl = zone.store.ttl(set);
    const pointer = this.#place(rendering, zone.store, owner);
    if (pointer > 0) return writer.addAt(SECTION.ANSWER, pointer, TYPE.CNAME, CLASS.IN, ttl, rdata);
    return writer.add(SECTION.ANSWER, this.#owner, TYPE.CNAME, CLASS.IN, ttl, rdata);
  }

  #copyKept(outcome: Outcome, owner: number): void {
    const from = outcome.keptAt(owner);
    const end = outcome.keptEnd(from);
    for (let i = from; i < end; i++) this.#owner[i - from] = outcome.names[i] as number;
  }
}

/** Whether a label of the name begins at `at`. */
function isBorder(name: Uint8Array, at: number): boolean {
  let i = 0;
  while (i < at) i += (name[i] as number) + 1;
  return i === at;
}

/** What to point to for the name that was just written at `at`; 0 when that is too far. */
function placeOfName({ out, start }: MessageWriter, at: number): number {
  const head = out[at] as number;
  if (head >= 0xc0) return ((head & 0x3f) << 8) | (out[at + 1] as number);
  return at - start <= FARTHEST && head > 0 ? at - start : 0;
}
