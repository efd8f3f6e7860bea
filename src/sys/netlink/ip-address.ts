import { bytesIp, ipBytes } from "../../core/ip-bytes.ts";
import type { Ip } from "../../core/ip.ts";
import { AF_INET, AF_INET6 } from "../sockaddr.ts";

/** The family of an address, as the heads of messages have it. */
export function familyOf(ip: Ip): number {
  return ip.version === 4 ? AF_INET : AF_INET6;
}

/** An address as an attribute has it: 4 bytes or 16. */
export function emitIp(ip: Ip): Uint8Array {
  return ipBytes(ip, ip.version) ?? new Uint8Array(); // there are bytes for its own version
}

/** The address in an attribute; undefined when it is not there, or of a length no address has. */
export function readIp(bytes: Uint8Array | undefined): Ip | undefined {
  return bytes?.length === 4 || bytes?.length === 16 ? bytesIp(bytes) : undefined;
}
