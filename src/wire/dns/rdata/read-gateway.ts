import { readIp6 } from "./read-ip6.ts";
import type { TextReader } from "./text-reader.ts";

/** Precedence, kind, algorithm and gateway of IPSECKEY (RFC 4025, 3.1). Throws `Misread`. */
export function readGateway(reader: TextReader): void {
  reader.number(1);
  const kind = reader.integer(3);
  reader.put(kind, 1);
  reader.number(1);
  readTarget(reader, kind);
}

/** Precedence, discovery and relay of AMTRELAY (RFC 8777, 4.3). Throws `Misread`. */
export function readRelay(reader: TextReader): void {
  reader.number(1);
  const discovery = reader.integer(1);
  const kind = reader.integer(3);
  reader.put((discovery << 7) | kind, 1);
  readTarget(reader, kind);
}

/** Nothing (`.`), IPv4, IPv6 or a name, by the number in front. */
function readTarget(reader: TextReader, kind: number): void {
  switch (kind) {
    case 0:
      if (reader.text(`"."`) !== ".") throw reader.wrong(`"." for no gateway`);
      return;
    case 1:
      return reader.ip4();
    case 2:
      return readIp6(reader);
    default:
      return reader.name();
  }
}
