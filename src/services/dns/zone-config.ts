/** A zone of the `dns:` section. */
import * as v from "valibot";

import { key } from "../../config/key.ts";
import { oneOrMany, scalar } from "../../config/scalar.ts";
import { cidrList, path } from "../../config/scalars.ts";
import { backendTls } from "../../config/tls.ts";
import { type Address, parseAddress } from "../../core/address.ts";
import { parseIp } from "../../core/ip.ts";

/** The port of DNS over UDP and TCP, and over TLS. */
const DNS_PORT = 53;
const TLS_PORT = 853;
/** Of a server whose port nobody has said. */
const UNSAID = 0;

/** Another server: `192.0.2.53`, `192.0.2.53:5300`, `[2001:db8::53]:5300`. */
const server = (unsaid: number) =>
  scalar(
    'an address such as "192.0.2.53", "192.0.2.53:5300" or "[2001:db8::53]:5300"',
    (given): Address | undefined => {
      if (parseIp(given) !== undefined) return { kind: "tcp", host: given, port: unsaid };
      const read = parseAddress(given);
      return read?.kind === "tcp" && read.host !== "" ? read : undefined;
    },
  );
const servers = (unsaid: number): v.GenericSchema<unknown, readonly Address[]> =>
  oneOrMany<Address>(server(unsaid));

export const zone = v.strictObject({
  file: v.optional(v.pipe(path, v.description("The zone's records, as RFC 1035 writes them."))),
  primaries: key(
    servers(UNSAID),
    [],
    "Instead of `file`: the servers that have the zone, from which it is fetched and kept like theirs.",
  ),
  primaries_tls: key(
    v.nullable(backendTls),
    null,
    "It is fetched over TLS (RFC 9103), from port 853 unless another is said.",
  ),
  dnssec: key(
    v.picklist(["off", "online"]),
    "off",
    "online: signed here, with a key made and kept in `state`, as it is asked. A file that is signed already needs nothing.",
  ),
  cds: key(
    v.picklist(["publish", "delete", "off"]),
    "publish",
    "What the parent is told, of a zone that is signed here (CDS, RFC 7344): which keys it has, to take out its DS, or nothing.",
  ),
  transfer: key(
    cidrList,
    [],
    "Who may have the whole zone, or what has changed in it (AXFR, IXFR).",
  ),
  transfer_over: key(v.picklist(["any", "tls"]), "any", "tls: nobody has it in clear."),
  notify: key(servers(DNS_PORT), [], "Who is told when the zone has changed."),
  tsig: key(
    v.nullable(v.string()),
    null,
    "The key of `keys` that transfers and notifications are signed with.",
  ),
});

export type ZoneConfig = v.InferOutput<typeof zone>;
/** An IP address and a port. */
export type TcpAddress = Address & { readonly kind: "tcp" };

/** Where a zone is fetched from, each with its port. */
export function primariesOf({ primaries, primaries_tls: tls }: ZoneConfig): TcpAddress[] {
  return primaries.flatMap((address) => {
    if (address.kind !== "tcp") return []; // the schema takes no other
    const { port } = address;
    return { ...address, port: port === UNSAID ? (tls === null ? DNS_PORT : TLS_PORT) : port };
  });
}
