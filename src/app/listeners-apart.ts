import { showPath } from "../config/key-path.ts";
import { showAddress } from "../core/address.ts";
import type { Listen } from "../net/listen.ts";
import type { Complaint } from "../services/service.ts";

/** Addresses that two want, told at the second: only what is HTTP shares one. */
export function listenersApart(listens: readonly Listen[]): Complaint[] {
  const taken = new Map<string, Listen>();
  return listens.flatMap((one): Complaint[] => {
    const { address, protocol, path } = one;
    if (address.kind === "tcp" && address.port === 0) return []; // the kernel finds another
    const at = `${protocol} ${showAddress(address)}`;
    const before = taken.get(at);
    if (before === undefined) taken.set(at, one);
    if (before === undefined || (before.http && one.http)) return [];
    return [{ path, message: `${at} is taken by ${showPath(before.path)}` }];
  });
}
