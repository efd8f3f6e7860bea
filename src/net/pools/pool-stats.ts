import { showAddress } from "../../core/address.ts";
import type { LivePool } from "./live-pool.ts";
import type { Member } from "./member.ts";

/** A server as the console shows it. Numbers are summed over workers; of the rest one worker's word stands. */
export interface ServerStats {
  readonly address: string;
  readonly state: "up" | "down" | "unknown" | "ejected";
  /** What the operator has set. */
  readonly set: "ready" | "drain" | "down";
  readonly why: string;
  /** ISO time; 1970: nobody knows. */
  readonly since: string;
  readonly weight: string;
  readonly backup: "yes" | "no";
  readonly open: number;
  readonly total: number;
  readonly failed: number;
  readonly connects: number;
  readonly connect_ms: number;
  readonly up_bytes: number;
  readonly down_bytes: number;
  readonly ejections: number;
  /** In how many workers it is out. */
  readonly ejected: number;
}

export interface PoolStats {
  readonly scheduler: string;
  readonly sticky: string;
  readonly queued: number;
  /** Connections with servers that are in the pool no more. */
  readonly leaving: number;
  readonly hosts: Readonly<Record<string, ServerStats>>;
}

/** `unknown`: hosts whose names stand for nothing yet. */
export function poolStats(
  pool: LivePool,
  unknown: readonly { readonly label: string; readonly why: string }[],
): PoolStats {
  const { plan } = pool;
  const hosts = plan?.hosts ?? [];
  const lost = unknown.map(({ label, why }) => {
    const host = hosts.find((one) => one.label === label);
    return [label, nowhere(label, why, host?.state ?? "ready", host?.backup ?? false)] as const;
  });
  return {
    scheduler: plan?.scheduler ?? "roundrobin",
    sticky: plan?.sticky ?? "off",
    queued: pool.queued,
    leaving: pool.leaving.reduce((sum, { open }) => sum + open, 0),
    hosts: Object.fromEntries([
      ...pool.members.map((member) => [member.name, serverStats(member, plan?.check !== null)]),
      ...lost,
    ]),
  };
}

function serverStats(member: Member, checked: boolean): ServerStats {
  const { spec, out, verdict } = member;
  const { state, why, since } = out
    ? { state: "ejected" as const, why: out.why, since: out.since }
    : (verdict ?? { state: checked ? ("unknown" as const) : ("up" as const), why: "", since: 0 });
  return {
    address: showAddress({ kind: "tcp", host: spec.host, port: spec.port }),
    state,
    set: spec.state,
    why,
    since: new Date(since === 0 ? member.since : since).toISOString(),
    weight: String(spec.weight),
    backup: spec.backup ? "yes" : "no",
    open: member.open,
    total: member.total,
    failed: member.failures,
    connects: member.connects,
    connect_ms: Math.round(member.connectMs),
    up_bytes: member.up,
    down_bytes: member.down,
    ejections: member.ejections,
    ejected: out ? 1 : 0,
  };
}

function nowhere(
  address: string,
  why: string,
  set: ServerStats["set"],
  backup: boolean,
): ServerStats {
  return {
    address,
    state: "down",
    set,
    why,
    since: new Date(0).toISOString(),
    weight: "0",
    backup: backup ? "yes" : "no",
    open: 0,
    total: 0,
    failed: 0,
    connects: 0,
    connect_ms: 0,
    up_bytes: 0,
    down_bytes: 0,
    ejections: 0,
    ejected: 0,
  };
}
