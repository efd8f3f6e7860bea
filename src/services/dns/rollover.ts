import { showDuration } from "../../core/units.ts";
import { showRdata } from "../../wire/dns/rdata/show.ts";
import { TYPE } from "../../wire/dns/types.ts";
import type { Host } from "../service.ts";
import { canonical } from "./config.ts";
import type { DnsServer } from "./server.ts";
import type { ServedZone } from "./zones.ts";
import { keyFiles } from "./zones.ts";

/** What is done to the keys of a zone that is signed here. */
export interface RollInput {
  readonly zone: string;
  /** `begin` makes another key; `finish` leaves only that one, `abandon` only the old one. */
  readonly step: "begin" | "finish" | "abandon";
  /** Even when others may still need the key that goes. */
  readonly force?: boolean | undefined;
}

/** The keys of a zone, as `tern dns status` shows them. Plain JSON; times are milliseconds since 1970. */
export interface KeyStatus {
  readonly tag: number;
  readonly role: "current" | "next";
  /** Whether it signs records now, and not only keys. */
  readonly signs: boolean;
  /** What the parent should have for it: the rdata of a DS. */
  readonly ds: string;
  /** Of the next one: since when it is published, and from when on the old one is needed by nobody. */
  readonly since: number | null;
  readonly doneFrom: number | null;
}

/**
 * Take a step in replacing the key of a zone. In force with the next reload. Once for all workers:
 * one does it. Throws Error, in words for the operator.
 */
export async function rollKey(
  servers: readonly DnsServer[],
  { zone, step, force = false }: RollInput,
  { state, worker }: Pick<Host, "state" | "worker">,
  now: number,
): Promise<Record<string, string>> {
  if (worker.index !== 0) return {};
  const name = canonical(zone);
  const found = servers.flatMap((server) => server.zones.all.filter((one) => one.name === name));
  const [served] = found;
  if (served?.zone.signer === undefined) throw new Error(`${zone} is no zone that is signed here`);
  const files = keyFiles(name, state);
  const [, next] = keysOf(served, longestTtl(servers, served), now);
  const doneFrom = next?.doneFrom ?? 0;
  switch (step) {
    case "begin":
      await files.begin();
      return { zone: name, next: "give the parent the DS of the new key besides that of the old" };
    case "finish":
      if (!force && doneFrom > now)
        throw new Error(`others may need the old key for another ${left(doneFrom, now)}`);
      await files.finish();
      return { zone: name, next: "the parent may take out the DS of the old key" };
    case "abandon":
      if (!force && next?.signs) throw new Error("the new key signs records already");
      await files.abandon();
      return { zone: name, next: "the parent must have no DS but that of the old key" };
  }
}

/** The keys of a zone; none when it is not signed here. `ttl`: seconds that its records may be kept. */
export function keysOf({ zone }: ServedZone, ttl: number, now: number): KeyStatus[] {
  const { signer, origin } = zone;
  if (signer === undefined) return [];
  const { keys } = signer;
  const signing = keys.signing(TYPE.A, now);
  return keys.all.map((key) => {
    const isNext = key === keys.next?.key;
    return {
      tag: key.tag,
      role: isNext ? "next" : "current",
      signs: signing.includes(key),
      ds: showRdata(TYPE.DS, key.ds(origin)),
      since: isNext ? (keys.next?.since ?? null) : null,
      doneFrom: isNext ? (keys.doneFrom(ttl) ?? null) : null,
    };
  });
}

/** The longest that anything signed with the keys of a zone may be kept by others. Seconds. */
export function longestTtl(servers: readonly DnsServer[], { zone }: ServedZone): number {
  const { store } = zone;
  let longest = 0;
  for (let set = 0; set < store.sets; set++) longest = Math.max(longest, store.ttl(set));
  for (const { names } of servers)
    for (const { ttl } of names?.status() ?? []) longest = Math.max(longest, ttl ?? 0);
  return longest;
}

function left(until: number, now: number): string {
  return showDuration(Math.ceil((until - now) / 60_000) * 60_000);
}
