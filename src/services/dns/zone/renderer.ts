import { MAX_NAME } from "../../../wire/dns/name.ts";
import { CLASS, TYPE } from "../../../wire/dns/types.ts";
import { type MessageWriter, QNAME, SECTION, type Section } from "../../../wire/dns/writer.ts";
import { NONE } from "./name-tree.ts";
import { AS_ASKED, type Entries, KIND, type Kind, type Outcome } from "./outcome.ts";
import type { RecordStore } from "./record-store.ts";
import { compactNsec } from "./signing/compact-nsec.ts";
import { FLAG, type Zone } from "./zone.ts";

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
  /** The owner of the records being written, and where in the message it is already; 0: nowhere. */
  readonly #owner = new Uint8Array(MAX_NAME);
  #pointer = 0;

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
    const { zone } = rendering;
    const kind = entries.kinds[i] as Kind;
    const set = entries.sets[i] as number;
    const owner = entries.owners[i] as number;
    const store = kind === KIND.HASHED ? zone.hashed : zone.store;
    this.#place(rendering, store, owner);
    if (kind === KIND.SYNTHESIZED)
      return this.#synthesized(rendering, set, entries.targets[i] as number);
    if (kind === KIND.COMPACT) return this.#compact(rendering, section, set, owner);
    return this.#set(rendering, section, store, kind, set, owner);
  }

  /** The records of a set, and its signatures, as far as the kind wants them. */
  #set(
    rendering: Rendering,
    section: Section,
    store: RecordStore,
    kind: Kind,
    set: number,
    owner: number,
  ): boolean {
    const { zone, dnssec, writer } = rendering;
    const ttl = kind === KIND.NEGATIVE ? zone.negativeTtl : store.ttl(set);
    const data = store.count(set);
    const asked = kind === KIND.SIGNATURES;
    const signed = asked || (dnssec && kind !== KIND.BARE);
    const to = data + (signed ? store.signatures(set) : 0);
    let record = store.records(set);
    for (let i = 0; i < to; i++) {
      const at = store.rdataAt(record);
      const end = store.next(record);
      record = end;
      if (asked && i < data) continue;
      const type = i < data ? store.type(set) : TYPE.RRSIG;
      if (!this.#put(writer, section, type, ttl, store.rdata, at, end)) return false;
    }
    const { signer } = zone;
    if (!signed || signer === undefined) return true;
    const name = ownerName(rendering, owner);
    const signatures = signer.sign(name, store.type(set), store.ttl(set), rdatasOf(store, set));
    return this.#putAll(writer, section, TYPE.RRSIG, ttl, signatures);
  }

  #compact(rendering: Rendering, section: Section, node: number, owner: number): boolean {
    const { zone, writer } = rendering;
    const { signer, negativeTtl: ttl } = zone;
    if (signer === undefined) return true;
    const name = ownerName(rendering, owner);
    const nsec = compactNsec(name, compactTypes(zone, node));
    const signatures = signer.sign(name, TYPE.NSEC, ttl, [nsec]);
    return (
      this.#put(writer, section, TYPE.NSEC, ttl, nsec, 0, nsec.length) &&
      this.#putAll(writer, section, TYPE.RRSIG, ttl, signatures)
    );
  }

  /** Some records, with the owner that was placed. */
  #putAll(
    writer: MessageWriter,
    section: Section,
    type: number,
    ttl: number,
    rdatas: readonly Uint8Array[],
  ): boolean {
    return rdatas.every((rdata) => this.#put(writer, section, type, ttl, rdata, 0, rdata.length));
  }

  #synthesized({ writer, outcome, zone }: Rendering, set: number, target: number): boolean {
    const from = outcome.keptAt(target);
    const to = outcome.keptEnd(from);
    const ttl = zone.store.ttl(set);
    return this.#put(writer, SECTION.ANSWER, TYPE.CNAME, ttl, outcome.names, from, to);
  }

  /** One record, with the owner that was placed. */
  #put(
    writer: MessageWriter,
    section: Section,
    type: number,
    ttl: number,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): boolean {
    if (this.#pointer > 0)
      return writer.addAt(section, this.#pointer, type, CLASS.IN, ttl, bytes, from, to);
    const { at } = writer;
    const rdata = bytes.subarray(from, to);
    if (!writer.add(section, this.#owner, type, CLASS.IN, ttl, rdata)) return false;
    this.#pointer = placeOfName(writer, at);
    return true;
  }

  /** Find where in the question the owner is; otherwise its name is made ready. */
  #place(rendering: Rendering, store: RecordStore, owner: number): void {
    const { outcome, key, keyLength } = rendering;
    this.#pointer = 0;
    if (owner === AS_ASKED) this.#pointer = QNAME;
    else if (owner < AS_ASKED) {
      const from = outcome.keptAt(owner);
      const to = outcome.keptEnd(from);
      for (let i = from; i < to; i++) this.#owner[i - from] = outcome.names[i] as number;
    } else {
      const length = store.names.write(owner, this.#owner, 0);
      const cut = keyLength - length;
      if (endsWith(key, cut, this.#owner, length)) this.#pointer = QNAME + cut;
    }
  }
}

/** An owner's name, to be signed. */
function ownerName({ outcome, zone, key, keyLength }: Rendering, owner: number): Uint8Array {
  if (owner === AS_ASKED) return key.slice(0, keyLength);
  if (owner >= 0) return zone.store.names.name(owner);
  const from = outcome.keptAt(owner);
  return outcome.names.slice(from, outcome.keptEnd(from));
}

function rdatasOf(store: RecordStore, set: number): Uint8Array[] {
  const rdatas: Uint8Array[] = [];
  let record = store.records(set);
  for (let i = store.count(set); i > 0; i--) {
    const end = store.next(record);
    rdatas.push(store.rdata.subarray(store.rdataAt(record), end));
    record = end;
  }
  return rdatas;
}

/** What the NSEC of a node says that it has (RFC 9824, 3.1, 3.2 and 3.4): at a cut only what is ours. */
function compactTypes(zone: Zone, node: number): number[] {
  if (node === NONE) return [TYPE.RRSIG, TYPE.NSEC, TYPE.NXNAME];
  const isCut = (zone.flags(node) & FLAG.CUT) !== 0;
  const types: number[] = [TYPE.RRSIG, TYPE.NSEC];
  for (let set = zone.store.firstSet(node); set < zone.store.firstSet(node + 1); set++) {
    const type = zone.store.type(set);
    if (!isCut || type === TYPE.NS || type === TYPE.DS) types.push(type);
  }
  return types;
}

/** Whether the name `key` from `cut` on, where a label begins, is `end`. */
function endsWith(key: Uint8Array, cut: number, end: Uint8Array, length: number): boolean {
  if (cut < 0) return false;
  for (let i = 0; i < length; i++) if (key[cut + i] !== end[i]) return false;
  return isBorder(key, cut);
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
