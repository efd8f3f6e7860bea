import type { RootConfig } from "../config/root.ts";
import type { Listen } from "../net/listen.ts";
import type { Complaint } from "../services/service.ts";

/** Listeners that nobody can shake hands with, one of each site: `tls:` names no certificate, and no CA. */
export function uncertified(
  { acme, certificates }: RootConfig["tls"],
  listens: readonly Listen[],
): Complaint[] {
  if (acme !== undefined || certificates.length > 0) return [];
  const message =
    "there is no certificate, so every handshake fails: name one under `tls: { certificates: … }`, or a CA under `tls: { acme: … }`";
  const first = new Map<string, Complaint>();
  for (const { path, certified } of listens) {
    const site = path.slice(0, -1).join("\n");
    if (certified === true && !first.has(site)) first.set(site, { path, message });
  }
  return [...first.values()];
}
