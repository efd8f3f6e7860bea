import { TYPE } from "../../../wire/dns/types.ts";
import type { AllDown } from "./config.ts";
import type { Member } from "./member.ts";

/** A tier as it runs. */
export interface Tier {
  readonly members: readonly Member[];
  /** Seconds. */
  readonly ttl: number;
}

/** Records of one type to choose from. */
export interface RecordSet {
  readonly type: number;
  readonly ttl: number;
  readonly members: readonly Member[];
}

/** What a name is answered with until somebody's health changes. */
export interface Shown {
  readonly outcome: "records" | "nodata" | "nxdomain" | "servfail";
  /** Which tier it is, from 0; -1 when nobody is alive. */
  readonly tier: number;
  readonly sets: readonly RecordSet[];
}

/**
 * The first tier with anybody who is alive and takes clients; failing that, one who is alive. A
 * tier stands or falls with all its members, whatever their types: IPv4 and IPv6 of one place do not
 * send clients to two.
 */
export function show(tiers: readonly Tier[], allDown: AllDown): Shown {
  for (const willing of [true, false])
    for (const [i, { members, ttl }] of tiers.entries()) {
      const alive = members
        .flatMap((one) => one.records)
        .filter((one) => one.alive && !(willing && one.drained));
      if (alive.length > 0) return { outcome: "records", tier: i, sets: byType(alive, ttl) };
    }
  if (allDown !== "serve" && allDown !== "last") return { outcome: allDown, tier: -1, sets: [] };
  // What an operator has taken out stays out.
  const hopeful = allDown === "last" ? tiers.slice(-1) : tiers;
  const ttl = Math.min(...hopeful.map((tier) => tier.ttl));
  const members = hopeful
    .flatMap((tier) => tier.members)
    .filter((one) => one.manual === undefined)
    .flatMap((one) => one.records);
  if (members.length === 0) return { outcome: "nodata", tier: -1, sets: [] };
  return { outcome: "records", tier: -1, sets: byType(members, ttl) };
}

function byType(members: readonly Member[], ttl: number): RecordSet[] {
  const types = [...new Set(members.map((one) => one.config.type))];
  // Only when everybody is shown can both be there: a CNAME stands alone (RFC 1034, 3.6.2).
  const shown = types.length > 1 ? types.filter((type) => type !== TYPE.CNAME) : types;
  return shown.map((type) => ({ type, ttl, members: onePerRecord(members, type) }));
}

/** Two tiers may name the same address; an answer may not (RFC 2181, 5). */
function onePerRecord(members: readonly Member[], type: number): Member[] {
  const found = new Map<string, Member>();
  for (const one of members) if (one.config.type === type) found.set(one.config.rdata.toHex(), one);
  return [...found.values()];
}
