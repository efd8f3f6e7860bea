import { showName } from "../../../wire/dns/name.ts";
import { CLASS, showType, TYPE } from "../../../wire/dns/types.ts";
import {
  MAX_PROBLEMS,
  scanZone,
  scanZoneInTurns,
  type ZoneProblem,
  type ZoneSource,
} from "../../../wire/dns/zone-scan.ts";
import type { Denial } from "./denial.ts";
import { NamePath } from "./name-path.ts";
import { APEX, NONE } from "./name-tree.ts";
import { NsecChain } from "./nsec-chain.ts";
import { Nsec3Chain } from "./nsec3-chain.ts";
import { type Gathered, type Place, RecordGatherer, type SetRemark } from "./record-gatherer.ts";
import type { RecordStore } from "./record-store.ts";
import { compactDenial } from "./signing/compact-denial.ts";
import { KEY_TTL } from "./signing/key-ring.ts";
import { keyRecords } from "./signing/parent-records.ts";
import type { Signer } from "./signing/signer.ts";
import { checkZone } from "./zone-checks.ts";
import { markNodes } from "./zone-flags.ts";
import { Zone } from "./zone.ts";

/** A zone that can be served, with what is odd about it, or why it cannot. */
export type Built =
  | { readonly ok: true; readonly zone: Zone; readonly warnings: readonly ZoneProblem[] }
  | { readonly ok: false; readonly problems: readonly ZoneProblem[] };

/** A zone from a master file, read as `scanZone` does; to be signed by `signer` where there is one. */
export function loadZone(text: Uint8Array | string, source: ZoneSource, signer?: Signer): Built {
  const builder = new ZoneBuilder(source.origin, signer);
  const problems = scanZone(text, source, (record) => builder.add(record));
  return problems.length > 0 ? { ok: false, problems } : builder.finish();
}

/** `loadZone`, a millisecond or two at a time, for who has other things to do in between. */
export function* loadZoneInTurns(
  text: Uint8Array | string,
  source: ZoneSource,
  signer?: Signer,
): Generator<void, Built, void> {
  const builder = new ZoneBuilder(source.origin, signer);
  const problems = yield* scanZoneInTurns(text, source, (record) => builder.add(record));
  return problems.length > 0 ? { ok: false, problems } : yield* builder.finishInTurns();
}

/** Takes the records of a zone one by one, in any order, and keeps none of the objects. */
export class ZoneBuilder {
  readonly #names: RecordGatherer;
  /** NSEC3s have names of their own (RFC 5155, 7.2.8). */
  readonly #hashed: RecordGatherer;
  readonly #name = new NamePath();
  readonly #problems: ZoneProblem[] = [];
  readonly #warnings: ZoneProblem[] = [];
  readonly #signer: Signer | undefined;

  constructor(origin: Uint8Array, signer?: Signer) {
    this.#signer = signer;
    this.#names = new RecordGatherer(origin);
    this.#hashed = new RecordGatherer(origin);
  }

  /** Copies what it keeps. */
  add(record: Gathered & { readonly name: Uint8Array; readonly class: number }): void {
    const { origin, depth } = this.#names.names;
    this.#name.read(record.name, 0);
    if (!this.#name.isUnder(origin, depth))
      this.#problem(record, `is not in the zone ${showName(origin)}`);
    else if (record.class !== CLASS.IN) this.#problem(record, "has a record not of class IN");
    else if (this.#signer && isProof(record.type))
      this.#problem(record, "is signed already, and is to be signed here");
    else (isHashed(record) ? this.#hashed : this.#names).add(this.#name, record);
  }

  finish(): Built {
    const turns = this.finishInTurns();
    for (;;) {
      const { done, value } = turns.next();
      if (done) return value;
    }
  }

  *finishInTurns(): Generator<void, Built, void> {
    if (this.#signer) this.#addKeys(this.#signer);
    const store = yield* this.#gather(this.#names);
    const hashed = yield* this.#gather(this.#hashed);
    const flags = yield* markNodes(store);
    yield* checkZone(store, flags, (found) => {
      this.#note(this.#names, found, found.fatal ? this.#problems : this.#warnings);
    });
    if (this.#problems.length > 0) return { ok: false, problems: this.#problems };
    const signer = this.#signer;
    const denial = signer ? compactDenial : yield* followChain(store, hashed);
    if (typeof denial !== "string")
      return {
        ok: true,
        zone: new Zone({ store, hashed, flags, denial, signer }),
        warnings: this.#warnings,
      };
    const place = this.#names.placeOf(APEX, TYPE.SOA);
    return { ok: false, problems: [{ ...place, column: 1, message: denial }] };
  }

  /** Keys for validators and for the parent. */
  #addKeys({ keys, origin, news }: Signer): void {
    const place = this.#names.placeOf(APEX, TYPE.SOA);
    for (const { type, rdata } of keyRecords(keys, origin, news)) {
      const record = { name: origin, type, class: CLASS.IN, ttl: KEY_TTL, rdata };
      this.add({ ...record, rdataLength: rdata.length, ...place });
    }
  }

  #gather(records: RecordGatherer): Generator<void, RecordStore, void> {
    return records.finish((remark) => this.#note(records, remark, this.#warnings));
  }

  #note(records: RecordGatherer, about: SetRemark, into: ZoneProblem[]): void {
    if (into.length >= MAX_PROBLEMS) return;
    const { node, type, what } = about;
    const message = `${showName(records.names.name(node))} ${showType(type)} ${what}`;
    into.push({ ...records.placeOf(node, type), column: 1, message });
  }

  #problem({ file, line }: Place, what: string): void {
    if (this.#problems.length < MAX_PROBLEMS)
      this.#problems.push({
        file,
        line,
        column: 1,
        message: `${showName(this.#name.bytes.subarray(0, this.#name.length))} ${what}`,
      });
  }
}

/** What only the one who signs can make. */
function isProof(type: number): boolean {
  const { RRSIG, NSEC, NSEC3, NSEC3PARAM } = TYPE;
  return type === RRSIG || type === NSEC || type === NSEC3 || type === NSEC3PARAM;
}

/** NSEC3 and its signatures. */
function isHashed({ type, rdata }: Gathered): boolean {
  if (type === TYPE.NSEC3) return true;
  return type === TYPE.RRSIG && rdata[0] === TYPE.NSEC3 >>> 8 && rdata[1] === TYPE.NSEC3;
}

/** How the zone proves what is not there: undefined when it is not signed, a string when it is badly. */
function* followChain(
  store: RecordStore,
  hashed: RecordStore,
): Generator<void, Denial | undefined | string, void> {
  const set = store.find(APEX, TYPE.NSEC3PARAM);
  if (set !== NONE) return yield* Nsec3Chain.follow(store, hashed, store.firstRdata(set));
  return store.find(APEX, TYPE.NSEC) === NONE ? undefined : yield* NsecChain.follow(store);
}
