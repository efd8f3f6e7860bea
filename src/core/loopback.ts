import type { Address } from "./address.ts";
import { parseIp } from "./ip.ts";

/** Only this machine can connect to it. */
export function isPrivate(address: Address): boolean {
  return address.kind === "unix" || isLoopback(address.host);
}

const LOOPBACK_V4 = 127; // 127.0.0.0/8, RFC 1122 3.2.1.3

/** `localhost`, 127.0.0.0/8 or ::1, without brackets. */
export function isLoopback(host: string): boolean {
  if (host === "localhost") return true;
  const ip = parseIp(host);
  if (ip === undefined) return false;
  if (ip.version === 4) return ip.words[0] >>> 24 === LOOPBACK_V4;
  return ip.words.every((word, i) => word === (i === 3 ? 1 : 0));
}
