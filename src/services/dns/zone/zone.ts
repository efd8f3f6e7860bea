import { TYPE } from "../../../wire/dns/types.ts";
import type { Denial } from "./denial.ts";
import { APEX } from "./name-tree.ts";
import type { RecordStore } from "./record-store.ts";
import type { Signer } from "./signing/signer.ts";

/** What is known of a node without looking at its sets. */
export const FLAG = {
  /** A delegation: NS, and not the apex (RFC 1034, 4.2.1). */
  CUT: 1,
  DNAME: 2,
  CNAME: 4,
  /** There is a `*` right below. */
  WILDCARD: 8,
  /** Below a cut or a DNAME: glue at most, never an answer. */
  OCCLUDED: 16,
} as const;

/** What a zone is made of, by a `ZoneBuilder`. */
export interface ZoneParts {
  readonly store: RecordStore;
  /** NSEC3s under their hashed names, which are no names of the zone (RFC 5155, 7.2.8). */
  readonly hashed: RecordStore;
  readonly flags: Uint8Array;
  /** Proves what is not there; undefined when the zone is not signed. */
  readonly denial: Denial | undefined;
  /** Signs as it is asked; undefined when the zone came signed, or is not. */
  readonly signer: Signer | undefined;
}

/** A zone to answer from. It never changes; a new version is a new zone. */
export class Zone {
  readonly store: RecordStore;
  readonly hashed: RecordStore;
  readonly denial: Denial | undefined;
  readonly signer: Signer | undefined;
  /** The set of the SOA. */
  readonly soa: number;
  /** Of the SOA, 0 to 2^32 - 1. */
  readonly serial: number;
  /** Seconds that a "no" may be kept: the SOA's TTL or its last field, whichever is less (RFC 2308, 5). */
  readonly negativeTtl: number;
  readonly #flags: Uint8Array;

  constructor(parts: ZoneParts) {
    this.store = parts.store;
    this.hashed = parts.hashed;
    this.denial = parts.denial;
    this.signer = parts.signer;
    this.#flags = parts.flags;
    this.soa = parts.store.find(APEX, TYPE.SOA);
    const soa = parts.store.firstRdata(this.soa);
    const numbers = new DataView(soa.buffer, soa.byteOffset + soa.length - 20);
    this.serial = numbers.getUint32(0);
    this.negativeTtl = Math.min(parts.store.ttl(this.soa), numbers.getUint32(16));
  }

  /** Lower case, wire form. */
  get origin(): Uint8Array {
    return this.store.names.origin;
  }

  /** Bits of `FLAG`. */
  flags(node: number): number {
    return this.#flags[node] as number;
  }

  /** Everything it holds, in bytes. */
  get bytes(): number {
    return this.store.bytes + this.hashed.bytes + this.#flags.byteLength;
  }
}
