import { showAddress } from "../../core/address.ts";
import type { TunnelConfig } from "./config.ts";

/** The socket a tunnel has: tunnels with the same `listen` share one, others have their own. */
export function socketOf(name: string, { listen }: Pick<TunnelConfig, "listen">): string {
  if (listen === null || (listen.kind === "tcp" && listen.port === 0)) return `of ${name}`;
  return showAddress(listen);
}

/**
 * The sockets of a config, and for each a word that is the same for those that have to be in one
 * process: what is passed on from one tunnel to another (`relay`) stays there.
 */
export function socketsOf(
  config: Readonly<Record<string, Pick<TunnelConfig, "listen" | "relay">>>,
): ReadonlyMap<string, string> {
  const all = Object.entries(config).map(([name, one]) => ({ at: socketOf(name, one), one }));
  const found = new Map(all.map(({ at }) => [at, at]));
  for (const { at, one } of all) {
    const other = one.relay === null ? undefined : config[one.relay];
    if (one.relay === null || other === undefined) continue;
    const here = found.get(at) ?? at;
    const there = found.get(socketOf(one.relay, other));
    const word = there !== undefined && there < here ? there : here;
    for (const [socket, was] of found) if (was === here || was === there) found.set(socket, word);
  }
  return found;
}

/**
 * Which of `count` workers has the tunnels of one socket. One alone is the first's; others are spread by
 * their names, so that a tunnel more or less moves no other.
 */
export function workerFor(socket: string, sockets: ReadonlySet<string>, count: number): number {
  if (sockets.size === 1) return 0;
  let hash = 0x811c9dc5; // FNV-1a
  for (let i = 0; i < socket.length; i++)
    hash = Math.imul(hash ^ socket.charCodeAt(i), 0x01000193) >>> 0;
  return hash % count;
}
