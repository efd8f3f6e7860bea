import { endOf, type Route } from "../../sys/datagram-route.ts";
import { show } from "../../sys/sockaddr.ts";

// struct sockaddr_in and sockaddr_in6, as in sys/sockaddr.ts.
const IN_ADDRESS = 4;
const IN6_ADDRESS = 8;
const IN6_SIZE = 28;

/** `192.0.2.1:9000`: the same for the same peer. */
export function nameOf(route: Route): string {
  const end = endOf(route);
  return end === undefined ? "" : show(end);
}

/** Four bytes or sixteen; an IPv4 address in IPv6 clothes as four. */
export function addressBytes({ name }: Route): Uint8Array {
  if (name.length < IN6_SIZE) return name.slice(IN_ADDRESS, IN_ADDRESS + 4);
  const ip = name.slice(IN6_ADDRESS, IN6_ADDRESS + 16);
  const mapped =
    ip.subarray(0, 10).every((byte) => byte === 0) && ip[10] === 0xff && ip[11] === 0xff;
  return mapped ? ip.subarray(12) : ip;
}
