import { parseIp } from "../../core/ip.ts";
import { ipBytes } from "../../wire/dns/rdata/ip-bytes.ts";

/** Four bytes or sixteen of an address as sockets report it; four zeros for what has none (unix). */
export function addressBytes(text: string): Uint8Array {
  const ip = parseIp(text);
  return (ip && ipBytes(ip, ip.version)) ?? new Uint8Array(4);
}
