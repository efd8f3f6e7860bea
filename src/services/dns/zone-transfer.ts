import type { Query } from "../../wire/dns/query.ts";
import type { TsigSigner } from "../../wire/dns/tsig.ts";
import { CLASS, TYPE } from "../../wire/dns/types.ts";
import { FLAG, MessageWriter, SECTION } from "../../wire/dns/writer.ts";
import { appendTsig } from "./signatures.ts";
import type { Transfer } from "./via.ts";
import { APEX } from "./zone/name-tree.ts";
import type { RecordStore } from "./zone/record-store.ts";
import type { Zone } from "./zone/zone.ts";

/** Compression points into the first 16 KB of a message; longer ones are not shorter in sum. */
const MESSAGE = 16 * 1024;
/** Room for a TSIG with the longest name and MAC. */
const TSIG_ROOM = 400;
/** The longest record there can be, with its owner: a message of its own. */
const MOST = 0xffff;

/** One record on its way. */
interface Record {
  readonly owner: Uint8Array;
  readonly type: number;
  readonly ttl: number;
  readonly rdata: Uint8Array;
}

/** A whole zone, its SOA first and last (RFC 5936, 2.2). The zone as it is now, whatever comes after. */
export class ZoneTransfer implements Transfer {
  readonly #question: Uint8Array;
  readonly #query: Query;
  readonly #signer: TsigSigner | undefined;
  readonly #seconds: () => number;
  readonly #writer = new MessageWriter();
  readonly #records: Iterator<Record>;
  #next: Record | undefined;
  #first = true;

  /** `message` is the question; `query` read from it and this transfer's own. `soaOnly`: nothing has changed (RFC 1995, 2). */
  constructor(
    zone: Zone,
    message: Uint8Array,
    query: Query,
    signer: TsigSigner | undefined,
    seconds: () => number,
    soaOnly: boolean,
  ) {
    this.#question = message;
    this.#query = query;
    this.#signer = signer;
    this.#seconds = seconds;
    this.#records = soaOnly ? [soaOf(zone)].values() : recordsOf(zone);
    this.#next = this.#take();
    this.#writer.exactCase = true;
  }

  next(into: Uint8Array, at: number): number {
    if (this.#next === undefined) return 0;
    const writer = this.#writer;
    const most = at + (this.#signer ? MOST - TSIG_ROOM : MOST);
    if (this.#first) writer.begin(into, at, most, this.#question, this.#query, FLAG.AA);
    else writer.beginMessage(into, at, most, this.#query.id, FLAG.QR | FLAG.AA);
    this.#first = false;
    while (this.#next !== undefined && writer.at - at < MESSAGE) {
      const { owner, type, ttl, rdata } = this.#next;
      if (!writer.add(SECTION.ANSWER, owner, type, CLASS.IN, ttl, rdata)) break;
      this.#next = this.#take();
    }
    const length = writer.end();
    if (this.#signer === undefined) return length;
    const record = this.#signer.sign(into.slice(at, at + length), this.#seconds());
    return appendTsig(record, into, at, length);
  }

  #take(): Record | undefined {
    const { value, done } = this.#records.next();
    return done ? undefined : value;
  }
}

function soaOf({ store, soa, origin }: Zone): Record {
  return { owner: origin, type: TYPE.SOA, ttl: store.ttl(soa), rdata: store.firstRdata(soa) };
}

function* recordsOf(zone: Zone): Generator<Record> {
  const { store, hashed, soa } = zone;
  yield soaOf(zone);
  yield* storeOf(store, soa);
  yield* storeOf(hashed, -1);
  yield soaOf(zone);
}

/** All records of a store; of the set `soa` only the signatures. */
function* storeOf(store: RecordStore, soa: number): Generator<Record> {
  for (let node = APEX; node < store.names.size; node++) {
    if (store.isEmpty(node)) continue;
    const owner = store.names.name(node);
    for (let set = store.firstSet(node); set < store.firstSet(node + 1); set++) {
      const ttl = store.ttl(set);
      const count = store.count(set);
      let at = store.records(set);
      for (let i = 0; i < count + store.signatures(set); i++) {
        const rdata = store.rdata.subarray(store.rdataAt(at), store.next(at));
        at = store.next(at);
        if (set === soa && i < count) continue;
        yield { owner, type: i < count ? store.type(set) : TYPE.RRSIG, ttl, rdata };
      }
    }
  }
}
