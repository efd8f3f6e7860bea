import { compileAccess, parseCidr } from "./cidr.ts";

/**
 * Networks that a stranger's word must not lead into: of one's own, of this machine, of several, of
 * none, and those that stand for other addresses (the IANA special-purpose registries, RFC 6890).
 */
const NETWORKS = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "::/96", // none, this machine, and addresses of IPv4 as they were once written
  "64:ff9b::/96", // any address of IPv4 (RFC 6052)
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16", // any address of IPv4 (6to4)
  "3fff::/20",
  "5f00::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10", // of a site (RFC 3879): not registered any more, and still routed within some
  "ff00::/8",
];

/** Is this address of no use on the open Internet? */
export const isInner: (address: string) => boolean = compileAccess(
  NETWORKS.flatMap((text) => parseCidr(text) ?? []),
);
