import { showCidr } from "../../core/cidr.ts";
import type { TunnelEnd } from "./end.ts";
import { endpointOf } from "./endpoint.ts";
import type { Repairs } from "./port.ts";
import type { Traffic } from "./traffic.ts";
import { warningFor } from "./warning.ts";

/** One tunnel, for people and programs. Times are milliseconds since 1970, durations milliseconds. */
export interface TunnelStatus {
  readonly state: "up" | "down" | "held" | "no device";
  readonly protocol: "tern" | "wireguard" | "3wdd";
  /** What whoever uses it should know. */
  readonly warning?: string;
  readonly cipher: string | null;
  readonly device: string;
  readonly mtu: number;
  readonly listen: string;
  readonly peer: string | null;
  readonly peerKey: string;
  readonly handshakeAt: number | null;
  readonly heardAt: number | null;
  readonly rttMs: number | null;
  readonly variationMs: number | null;
  /** Parts that are lost on the way out and in. */
  readonly lossOut: number | null;
  readonly lossIn: number | null;
  readonly routes: readonly string[];
  readonly metric: number;
  /** With `transport: udt`. */
  readonly repairs: Repairs | null;
  readonly traffic: Traffic;
}

export function tunnelStatus(end: TunnelEnd): TunnelStatus {
  const { link, hub, config, port } = end;
  const { path, session } = link;
  const since = (then: number | undefined): number | null =>
    then === undefined || then === -Infinity ? null : Math.round(performance.timeOrigin + then);
  const known = !Number.isNaN(path.rtt);
  const warning = warningFor(config);
  const state = port === undefined ? "no device" : link.alive ? "up" : "down";
  return {
    state: end.isHeld ? "held" : state,
    ...(warning !== undefined && { warning }),
    protocol: config.wireguard ? "wireguard" : "tern",
    cipher: link.cipher ?? null,
    device: end.device,
    mtu: port?.device.mtu ?? config.mtu,
    listen: hub.name,
    peer: endpointOf(link.route) ?? null,
    peerKey: config.peer_key,
    handshakeAt: since(session.handshakeAt),
    heardAt: since(path.lastHeard),
    rttMs: known ? tenths(path.rtt) : null,
    variationMs: known ? tenths(path.variation) : null,
    lossOut: known ? Math.round(path.lossOut * 1e4) / 1e4 : null,
    lossIn: known ? Math.round(path.lossIn * 1e4) / 1e4 : null,
    routes: port?.device.routes.map(({ to }) => showCidr(to)) ?? [],
    metric: end.priority,
    repairs: port?.carriage.repairs?.() ?? null,
    traffic: { ...link.traffic },
  };
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
