import { compileAccess } from "../../core/cidr.ts";
import { showIp } from "../../core/ip.ts";
import { nameKey, parseName, sameName } from "../../wire/dns/name.ts";
import { Query as OwnQuery, type Query, readQuery } from "../../wire/dns/query.ts";
import { bytesIp } from "../../wire/dns/rdata/ip-bytes.ts";
import type { TsigKey } from "../../wire/dns/tsig.ts";
import { RCODE, TYPE } from "../../wire/dns/types.ts";
import type { ZoneConfig } from "./config.ts";
import type { ServedSecondary } from "./secondary/secondaries.ts";
import type { Signed } from "./signatures.ts";
import type { Transfer, Via } from "./via.ts";
import { ZoneTransfer } from "./zone-transfer.ts";
import type { Zone } from "./zone/zone.ts";
import type { ServedZone } from "./zones.ts";

interface Open {
  /** As it is now; undefined: it may not be served. */
  readonly zone: () => Zone | undefined;
  readonly allowed: (address: string) => boolean;
  /** Whose signature it takes. */
  readonly key: Uint8Array | undefined;
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
    for (const { zone, config } of zones) this.#open(zone.origin, config, () => zone);
    for (const { secondary, config } of secondaries)
      this.#open(secondary.zone.origin, config, () => secondary.zone.zone);
  }

  #open(origin: Uint8Array, { transfer, tsig }: ZoneConfig, zone: Open["zone"]): void {
    this.#zones.set(nameKey(origin), {
      zone,
      allowed: compileAccess(transfer),
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
    const open = this.#zones.get(nameKey(query.key.subarray(0, query.keyLength)));
    if (open === undefined) return RCODE.NOTAUTH; // RFC 5936, 2.2.1
    if (via.transport !== "tcp" && via.transport !== "tls") return RCODE.REFUSED;
    if (!open.allowed(showIp(bytesIp(via.client)))) return RCODE.REFUSED;
    if (open.key !== undefined && !isBy(open.key, signed?.key)) return RCODE.REFUSED;
    const zone = open.zone();
    if (zone === undefined) return RCODE.SERVFAIL;
    // The transfer goes on while other questions are read: it has a copy of its own.
    const own = new OwnQuery();
    readQuery(message, 0, message.length, own);
    const current = query.qtype === TYPE.IXFR && query.serial === zone.serial;
    const seconds = (): number => Math.floor(this.#wall() / 1000);
    return new ZoneTransfer(zone, message, own, signed?.signer, seconds, current);
  }
}

function isBy(name: Uint8Array, key: TsigKey | undefined): boolean {
  return key !== undefined && sameName(name, key.name);
}
