import type { RootConfig } from "../config/root.ts";
import type { DnsConfig } from "../services/dns/config.ts";
import { canonical } from "../services/dns/config.ts";
import type { Complaint } from "../services/service.ts";
import type { Sections } from "./plan.ts";

/**
 * Wildcards among the names that a CA is asked for, whose zone no server of `dns:` has from a file:
 * they are proved in the DNS only (RFC 8555, 8.4), and it is that server which shows the proof.
 */
export function wildcardNames(tls: RootConfig["tls"], sections: Sections): Complaint[] {
  const dns = (sections["dns"] ?? {}) as DnsConfig; // that is the schema of the section
  const zones = Object.values(dns).flatMap(({ zones: all }) =>
    Object.entries(all).flatMap(([name, { file }]) => (file === undefined ? [] : canonical(name))),
  );
  return (tls.acme?.names ?? []).flatMap((name, i) => {
    const under = (zone: string): boolean => zone === "" || `.${name}`.endsWith(`.${zone}`);
    if (!name.startsWith("*.") || zones.some(under)) return [];
    const message = `no certificate for ${name} by ACME: wildcards need proof in the DNS (dns-01), and no zone of \`dns:\` with a \`file\` has it; name the hosts one by one, or put a certificate under "certificates"`;
    return [{ path: ["tls", "acme", "names", i], message }];
  });
}
