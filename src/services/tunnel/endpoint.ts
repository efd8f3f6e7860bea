import { lookup } from "node:dns/promises";

import { parseIp } from "../../core/ip.ts";
import { endOf, type Route } from "../../sys/datagram-route.ts";
import { show } from "../../sys/sockaddr.ts";
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

/** Where a route leads, as text: `192.0.2.1:9000`, `[2001:db8::1]:9000`. */
export function endpointOf(route: Route | undefined): string | undefined {
  const end = route && endOf(route);
  return (
    end &&
    show(end)
      .replace("[::ffff:", "[")
      .replace(/^\[([\d.]+)\]/, "$1")
  );
}

/** The IP address where a route leads. */
export function hostOf(route: Route | undefined): string | undefined {
  const end = route && endOf(route);
  if (end === undefined || !("host" in end)) return undefined;
  const ip = parseIp(end.host);
  return ip?.version === 4 ? end.host.replace(/^::ffff:/, "") : end.host;
}
