import { showAddress } from "../../core/address.ts";
import type { NameStatus } from "./names/name-status.ts";
import type { DnsServer } from "./server.ts";
import { recordCount, showZoneProblem } from "./zone-file.ts";

/** One server, as `tern dns status` shows it. Plain JSON; times are milliseconds since 1970. */
export interface ServerStatus {
  readonly listen: readonly string[];
  readonly zones: readonly ZoneStatus[];
  readonly names: readonly NameStatus[];
}

export interface ZoneStatus {
  readonly name: string;
  readonly file: string;
  /** `broken`: the file is, and what it had before is served. */
  readonly state: "good" | "broken";
  readonly serial: number;
  readonly records: number;
  readonly bytes: number;
  readonly signed: boolean;
  readonly loadedAt: number;
  readonly tookMs: number;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export function serverStatus({ config, zones, names }: DnsServer): ServerStatus {
  return {
    listen: config.listen.map(showAddress),
    zones: zones.all.map(({ zone, name, config: { file }, version }): ZoneStatus => {
      const { problems, warnings, loadedAt, tookMs } = version;
      return {
        name,
        file,
        state: problems.length === 0 ? "good" : "broken",
        serial: zone.serial,
        records: recordCount(zone),
        bytes: zone.bytes,
        signed: zone.denial !== undefined,
        loadedAt,
        tookMs,
        problems: problems.map(showZoneProblem),
        warnings: warnings.map(showZoneProblem),
      };
    }),
    names: names?.status() ?? [],
  };
}
