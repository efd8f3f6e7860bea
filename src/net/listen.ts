import type { KeyPath } from "../config/key-path.ts";
import type { Address } from "../core/address.ts";

/** An address that a section wants. */
export interface Listen {
  /** From the section's key on: `["web", "site", "listen", 0]`. */
  readonly path: KeyPath;
  readonly address: Address;
  readonly protocol: "tcp" | "udp";
  /** By `host.http`, which all that is HTTP shares; everything else is alone on its address. */
  readonly http?: boolean;
  /** Clients are shown a certificate of `tls:`. */
  readonly certified?: boolean;
}

/** Where one of the sites of a section listens, for all that is HTTP. */
interface Site {
  readonly listen: readonly Address[];
  readonly tls: boolean;
  readonly http3?: boolean;
}

/** Where the sites of `section` listen; HTTP/3 has its datagrams beside TCP. */
export function httpListens(section: string, sites: Readonly<Record<string, Site>>): Listen[] {
  return Object.entries(sites).flatMap(([name, { listen, tls, http3 = false }]) =>
    listen.flatMap((address, i) => {
      const one = { path: [section, name, "listen", i], address, http: true, certified: tls };
      const quic = tls && http3 && address.kind === "tcp";
      return [
        { ...one, protocol: "tcp" as const },
        ...(quic ? [{ ...one, protocol: "udp" as const }] : []),
      ];
    }),
  );
}
