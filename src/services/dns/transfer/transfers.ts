import { compileAccess } from "../../../core/cidr.ts";
import { bytesIp } from "../../../core/ip-bytes.ts";
import { showIp } from "../../../core/ip.ts";
import { nameKey, parseName, sameName } from "../../../wire/dns/name.ts";
import { Query as OwnQuery, type Query, readQuery } from "../../../wire/dns/query.ts";
import type { Rr } from "../../../wire/dns/rr.ts";
import type { TsigKey } from "../../../wire/dns/tsig.ts";
import { RCODE, TYPE } from "../../../wire/dns/types.ts";
import type { ServedSecondary } from "../secondary/secondaries.ts";
import type { Signed } from "../signatures.ts";
import type { Transfer, Via } from "../via.ts";
import type { ZoneConfig } from "../zone-config.ts";
import type { Zone } from "../zone/zone.ts";
import type { ServedZone } from "../zones.ts";
import { incremental } from "./incremental.ts";
import type { Journal } from "./journal.ts";
import { recordsOf, soaOf } from "./zone-records.ts";
import { ZoneTransfer } from "./zone-transfer.ts";

/** A zone that somebody may have. */
interface Open {
  /** As it is now; undefined: it may not be served. */
  readonly zone: () => Zone | undefined;
  readonly journal: Journal;
  readonly allowed: (address: string) => boolean;
  /** Not in clear. */
  readonly secret: boolean;
  /** Whose signature it takes. */
  readonly key: Uint8Array | undefined;
}

/** An IXFR's answer over UDP: all of it, when there is room. */
export interface Brief {
  readonly soa: Rr;
  /** Undefined: it is surely too long, and to be asked for over TCP (RFC 1995, 2). */
  readonly records: Iterable<Rr> | undefined;
}

/** Who may have which zone. */
export class Transfers {
  readonly #zones = new Map<string, Open>();
  readonly #wall: () => number;

  /** `wall`: milliseconds since 1970. */
  constructor(
    zones: readonly ServedZone[],
    secondaries: readonly ServedSecondary[],
    wall: () => number,
  ) {
    this.#wall = wall;
    for (const { zone, config, file } of zones)
      this.#open(zone.origin, config, { zone: () => zone, journal: file.journal });
    for (const { secondary, config } of secondaries) {
      const { zone } = secondary;
      this.#open(zone.origin, config, { zone: () => zone.zone, journal: zone.journal });
    }
  }

  #open(
    origin: Uint8Array,
    { transfer, transfer_over: over, tsig }: ZoneConfig,
    what: Pick<Open, "zone" | "journal">,
  ): void {
    this.#zones.set(nameKey(origin), {
      ...what,
      allowed: compileAccess(transfer),
      secret: over === "tls",
      key: tsig === null ? undefined : parseName(tsig.replace(/\.?$/, ".")),
    });
  }

  /** The transfer that `query`, an AXFR or IXFR read from `message`, asks for; or the rcode that says no. */
  begin(
    message: Uint8Array,
    query: Query,
    via: Via,
    signed: Signed | undefined,
  ): Transfer | number {
    if (via.transport !== "tcp" && via.transport !== "tls") return RCODE.REFUSED;
    const wanted = this.#wanted(query, via, signed);
    if (typeof wanted === "number") return wanted;
    const { zone, journal } = wanted;
    // The transfer goes on while other questions are read: it has a copy of its own.
    const own = new OwnQuery();
    readQuery(message, 0, message.length, own);
    const known = query.qtype === TYPE.IXFR && query.serial >= 0;
    const told = known ? incremental(zone, journal, query.serial) : undefined;
    const records = told === undefined || told.kind === "whole" ? recordsOf(zone) : told.records;
    return new ZoneTransfer({
      records: records[Symbol.iterator](),
      message,
      query: own,
      signer: signed?.signer,
      seconds: () => Math.floor(this.#wall() / 1000),
    });
  }

  /** The same for an IXFR over UDP, where an answer may have `room` bytes. */
  brief(query: Query, via: Via, signed: Signed | undefined, room: number): Brief | number {
    const wanted = this.#wanted(query, via, signed);
    if (typeof wanted === "number") return wanted;
    const { zone, journal } = wanted;
    const soa = soaOf(zone);
    const told = query.serial < 0 ? undefined : incremental(zone, journal, query.serial);
    if (told === undefined || told.kind === "whole") return { soa, records: undefined };
    const long = told.kind === "changes" && told.bytes > room;
    return { soa, records: long ? undefined : told.records };
  }

  #wanted(
    query: Query,
    via: Via,
    signed: Signed | undefined,
  ): { readonly zone: Zone; readonly journal: Journal } | number {
    const open = this.#zones.get(nameKey(query.key.subarray(0, query.keyLength)));
    if (open === undefined) return RCODE.NOTAUTH; // RFC 5936, 2.2.1
    if (!open.allowed(showIp(bytesIp(via.client)))) return RCODE.REFUSED;
    if (open.secret && via.transport !== "tls") return RCODE.REFUSED;
    if (open.key !== undefined && !isBy(open.key, signed?.key)) return RCODE.REFUSED;
    const zone = open.zone();
    return zone === undefined ? RCODE.SERVFAIL : { zone, journal: open.journal };
  }
}

function isBy(name: Uint8Array, key: TsigKey | undefined): boolean {
  return key !== undefined && sameName(name, key.name);
}
