import { showAddress } from "../../core/address.ts";
import type { TunnelConfig } from "./config.ts";

/** The socket a tunnel has: tunnels with the same `listen` share one, others have their own. */
export function socketOf(name: string, { listen }: Pick<TunnelConfig, "listen">): string {
  if (listen === null || (listen.kind === "tcp" && listen.port === 0)) return `of ${name}`;
  return showAddress(listen);
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
