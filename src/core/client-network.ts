import { parseIp } from "./ip.ts";

/** What counts as one client. One IPv6 customer has a /64 at least: counting its addresses would count nothing. */
export function networkOf(address: string): string {
  const ip = parseIp(address);
  return ip?.version === 6 ? `${ip.words[0]}:${ip.words[1]}` : address;
}
