import type { AdminConfig } from "../config/admin.ts";
import { type Address, showAddress } from "../core/address.ts";
import { parseIp } from "../core/ip.ts";

/** Why these listeners must not be opened: others could reach them, and nobody is asked who they are. */
export function checkAdminExposure(
  admin: Pick<AdminConfig, "listen" | "users">,
): { readonly path: string; readonly message: string } | undefined {
  if (admin.users.length > 0) return undefined;
  const exposed = admin.listen.find((address) => !isPrivate(address));
  if (exposed === undefined) return undefined;
  return {
    path: "admin.listen",
    message: `${showAddress(exposed)} can be reached from other machines: add admin.users (make a password with "tern hash-password"), or listen on 127.0.0.1`,
  };
}

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
