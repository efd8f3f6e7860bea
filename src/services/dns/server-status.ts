import { showAddress } from "../../core/address.ts";
import type { NameStatus } from "./names/name-status.ts";
import { keysOf, type KeyStatus, longestTtl } from "./rollover.ts";
import type { ServedSecondary } from "./secondary/secondaries.ts";
import type { DnsServer } from "./server.ts";
import { primariesOf } from "./zone-config.ts";
import { recordCount, showZoneProblem } from "./zone-file.ts";
import type { Zone } from "./zone/zone.ts";
import type { ServedZone } from "./zones.ts";

/** One server, as `tern dns status` shows it. Plain JSON; times are milliseconds since 1970. */
export interface ServerStatus {
  readonly listen: readonly string[];
  readonly zones: readonly ZoneStatus[];
  readonly names: readonly NameStatus[];
}

export interface ZoneStatus {
  readonly name: string;
  /** Null for a zone of others. */
  readonly file: string | null;
  /** Whom a zone of others is fetched from. */
  readonly primaries: readonly string[];
  /**
   * `broken`: the file is, and what it had before is served. Of zones of others: `waiting` for the
   * first transfer, `stale` when no primary answers, `expired` when none has for too long.
   */
  readonly state: "good" | "broken" | "waiting" | "stale" | "expired";
  readonly serial: number;
  readonly records: number;
  readonly bytes: number;
  readonly signed: boolean;
  /** Of a zone that is signed here. */
  readonly keys: readonly KeyStatus[];
  /** Null: it never was. */
  readonly loadedAt: number | null;
  /** When a primary last said that this is the zone; null for one of ours. */
  readonly checkedAt: number | null;
  readonly tookMs: number;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export function serverStatus(server: DnsServer): ServerStatus {
  const { config, zones, secondaries, names } = server;
  return {
    listen: config.listen.map(showAddress),
    zones: [
      ...zones.all.map((zone) => zoneStatus(zone, server)),
      ...secondaries.all.map(secondaryStatus),
    ],
    names: names?.status() ?? [],
  };
}

function zoneStatus(served: ServedZone, server: DnsServer): ZoneStatus {
  const { zone, name, path, version } = served;
  const { problems, warnings, loadedAt, tookMs } = version;
  return {
    name,
    file: path,
    primaries: [],
    state: problems.length === 0 ? "good" : "broken",
    ...figures(zone),
    keys: zone.signer ? keysOf(served, longestTtl([server], served), Date.now()) : [],
    loadedAt,
    checkedAt: null,
    tookMs,
    problems: problems.map(showZoneProblem),
    warnings: warnings.map(showZoneProblem),
  };
}

function secondaryStatus({ name, config, secondary }: ServedSecondary): ZoneStatus {
  const { refresher, zone } = secondary;
  const { held, expired } = zone;
  const why = refresher?.why;
  const fresh = why === undefined ? "good" : "stale";
  return {
    name,
    file: null,
    primaries: primariesOf(config).map(showAddress),
    state: expired ? "expired" : held === undefined ? "waiting" : fresh,
    ...figures(held?.zone),
    keys: [],
    loadedAt: held?.note.takenAt ?? null,
    checkedAt: held?.note.checkedAt ?? null,
    tookMs: 0,
    problems: why === undefined ? [] : [`${name}: ${why}`],
    warnings: held?.warnings ?? [],
  };
}

/** `zone` is undefined when it has never been there. */
function figures(
  zone: Zone | undefined,
): Pick<ZoneStatus, "serial" | "records" | "bytes" | "signed"> {
  if (zone === undefined) return { serial: 0, records: 0, bytes: 0, signed: false };
  const { serial, bytes, denial } = zone;
  return { serial, records: recordCount(zone), bytes, signed: denial !== undefined };
}
