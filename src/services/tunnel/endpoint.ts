import { lookup } from "node:dns/promises";

import { parseIp } from "../../core/ip.ts";
import type { Peer } from "./scalars.ts";

/** The addresses of a peer, in the order in which they are to be tried; none when nobody knows. */
export async function addressesOf(peer: Peer): Promise<readonly string[]> {
  if (parseIp(peer.host) !== undefined) return [peer.host];
  try {
    return (await lookup(peer.host, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}

/** The address after `current` in turn; the first when `current` is none of them. */
export function nextAddress(
  all: readonly string[],
  current: string | undefined,
): string | undefined {
  const at = current === undefined ? -1 : all.indexOf(current);
  return all[(at + 1) % Math.max(1, all.length)];
}
