import type { Member } from "./crew.ts";
import type { ListenerStatus, WorkerStatus } from "./status.ts";

/** One worker, as `status` shows it. */
export function workerStatus(member: Member): WorkerStatus {
  const { report } = member;
  const listeners = report?.listeners ?? [];
  return {
    index: member.index,
    pid: member.pid,
    state: member.state,
    uptimeMs: Math.round(report?.uptime ?? 0),
    restarts: member.restarts,
    lastDeath: member.lastDeath,
    rssBytes: report?.rss ?? 0,
    lagMs: Math.round(report?.lag ?? 0),
    connections: total(listeners.map((l) => l.connections)),
    requests: total(listeners.map((l) => l.requests)),
    services: report?.services ?? [],
    listeners: listeners.map((l) => l.listener),
  };
}

/** Every address once, with what all workers on it have. */
export function listenerStatus(members: readonly Member[]): ListenerStatus[] {
  const found = new Map<string, ListenerStatus>();
  for (const { index, report } of members) {
    for (const { listener, port, sites, connections, requests } of report?.listeners ?? []) {
      const known = found.get(listener);
      found.set(listener, {
        address: listener,
        port,
        sites: [...new Set([...(known?.sites ?? []), ...sites])],
        workers: [...(known?.workers ?? []), index],
        connections: plus(known?.connections, connections),
        requests: plus(known?.requests, requests),
      });
    }
  }
  return [...found.values()];
}

function plus(known: number | undefined, more: number | undefined): number | undefined {
  return more === undefined ? known : (known ?? 0) + more;
}

function total(numbers: readonly (number | undefined)[]): number {
  return numbers.reduce<number>((a, b = 0) => a + b, 0);
}
