import type { Host } from "../service.ts";
import { hasKeys, type TunnelConfig } from "./config.ts";
import { TunnelEnd } from "./end.ts";
import { LegacyEnd, legacyStatus } from "./legacy/end.ts";
import { type TunnelStatus, tunnelStatus } from "./status.ts";

/** A tunnel of this process, whatever it speaks. */
export type Member = TunnelEnd | LegacyEnd;

/** Everything that can fail. `place`: where it stands in the config. Rejects with SysError. */
export function prepareMember(
  name: string,
  config: TunnelConfig,
  host: Host,
  place: number,
): Promise<Member> {
  if (config.legacy) return LegacyEnd.prepare(name, config, host, place);
  if (!hasKeys(config)) throw new TypeError(`tunnel ${name} has no keys`); // the schema asks for them
  return TunnelEnd.prepare(name, config, host, place);
}

export function statusOf(member: Member): TunnelStatus {
  return member instanceof LegacyEnd ? legacyStatus(member) : tunnelStatus(member);
}
