import { ByteLru, type Visited } from "../../../../core/byte-lru.ts";
import { labelCount } from "../../../../wire/dns/name.ts";
import { canonicalRdata } from "../../../../wire/dns/rdata/canonical.ts";
import { CLASS } from "../../../../wire/dns/types.ts";
import type { KeyRing } from "./key-ring.ts";
import type { ParentNews } from "./parent-records.ts";
import { ALGORITHM, type ZoneKey } from "./zone-key.ts";

const DAY = 86_400;
/** Clocks of validators may be behind ours by this and the time of day. Seconds. */
const EARLIER = 3600;
/** A signature that is made at the end of a day is good for a week yet. */
const VALID_DAYS = 8;
/** Signatures kept, in bytes of what they sign. */
const CACHE_BYTES = 8 << 20;
/** What keeping one costs besides what it signs. */
const ENTRY_BYTES = 300;
/** Where in it the key tag is. */
const TAG_AT = 16;
/** RRSIG rdata in front of the signer's name (RFC 4034, 3.1). */
const HEAD = 18;

interface Kept extends Visited {
  readonly rdata: Uint8Array;
}

/**
 * Signs RRsets as they are asked for. All signatures of one day (UTC) begin and end together, and
 * are kept for that day.
 */
export class Signer {
  /** Lower case. */
  readonly origin: Uint8Array;
  readonly keys: KeyRing;
  readonly news: ParentNews;
  readonly #wall: () => number;
  #kept = new ByteLru<string, Kept>(CACHE_BYTES);
  #day = 0;

  /** `wall`: milliseconds since 1970. */
  constructor(origin: Uint8Array, keys: KeyRing, wall: () => number, news: ParentNews = "publish") {
    this.origin = origin;
    this.keys = keys;
    this.news = news;
    this.#wall = wall;
  }

  /**
   * The rdata of the RRSIGs over a set: one, or of its keys two. `owner` in lower case, and as it will be answered: what a
   * wildcard stood for is signed as if it were there (RFC 9824, 3.3). `ttl` as the zone has it.
   */
  sign(
    owner: Uint8Array,
    type: number,
    ttl: number,
    rdatas: readonly Uint8Array[],
  ): readonly Uint8Array[] {
    const now = this.#wall();
    const day = Math.floor(now / 1000 / DAY);
    if (day !== this.#day) {
      this.#day = day;
      this.#kept.clear();
    }
    const data = this.#signedData(owner, type, ttl, rdatas);
    return this.keys.signing(type, now).map((key) => this.#signature(data, key));
  }

  #signature(data: Buffer, by: ZoneKey): Uint8Array {
    data.writeUInt16BE(by.tag, TAG_AT);
    const key = data.toString("latin1");
    const kept = this.#kept.get(key);
    if (kept) return kept.rdata;
    const head = HEAD + this.origin.length;
    const signature = by.sign(data);
    const rdata = new Uint8Array(head + signature.length);
    rdata.set(data.subarray(0, head));
    rdata.set(signature, head);
    this.#kept.set(key, { rdata, visited: false }, data.length + ENTRY_BYTES);
    return rdata;
  }

  /** RFC 4034, 3.1.8.1: the RRSIG without its signature, then the records in canonical form and order. */
  #signedData(owner: Uint8Array, type: number, ttl: number, rdatas: readonly Uint8Array[]): Buffer {
    const records = rdatas.map((rdata) => canonicalRdata(type, rdata));
    if (records.length > 1) records.sort((a, b) => Buffer.compare(a, b));
    const bytes = records.reduce((sum, rdata) => sum + owner.length + 10 + rdata.length, 0);
    const data = Buffer.alloc(HEAD + this.origin.length + bytes);
    const begins = this.#day * DAY - EARLIER;
    let at = data.writeUInt16BE(type, 0);
    at = data.writeUInt8(ALGORITHM, at);
    at = data.writeUInt8(labelCount(owner) - (isWildcard(owner) ? 1 : 0), at);
    at = data.writeUInt32BE(ttl, at);
    at = data.writeUInt32BE((begins + EARLIER + VALID_DAYS * DAY) >>> 0, at);
    at = data.writeUInt32BE(begins >>> 0, at);
    at = data.writeUInt16BE(0, at); // the tag of who signs
    data.set(this.origin, at);
    at += this.origin.length;
    for (const rdata of records) {
      data.set(owner, at);
      at = data.writeUInt16BE(type, at + owner.length);
      at = data.writeUInt16BE(CLASS.IN, at);
      at = data.writeUInt32BE(ttl, at);
      at = data.writeUInt16BE(rdata.length, at);
      data.set(rdata, at);
      at += rdata.length;
    }
    return data;
  }
}

/** `*` asked for as such. */
function isWildcard(owner: Uint8Array): boolean {
  return owner[0] === 1 && owner[1] === 0x2a;
}
