/** The fields of every record type's rdata, in order: one table for text, wire, checks and names. */
import { TYPE } from "../types.ts";

export type Field =
  | "u8"
  | "u16"
  | "u32"
  /** 32 bits of seconds; in text also `1h30m`. */
  | "ttl"
  /** 32 bits of seconds since 1970; `20261122120000` in text (RFC 4034, 3.2). */
  | "time"
  /** Eight bits; in text also the mnemonics of RFC 4034, A.1 and its successors. */
  | "algorithm"
  | "certificate"
  | "type"
  | "ip4"
  | "ip6"
  | "name"
  /** A length and up to 255 bytes. */
  | "string"
  /** A string of letters and digits (RFC 8659, 4.1). */
  | "tag"
  /** One or more strings, to the end. */
  | "strings"
  /** None or one string. */
  | "string?"
  /** All the rest is one text without a length. */
  | "text"
  /** All the rest, at least a byte of it. */
  | "hex"
  | "base64"
  | "base64?"
  /** A length and bytes: hex, `-` for none (RFC 5155, 3.3). */
  | "salt"
  /** A length and bytes: base32hex (RFC 5155, 3.3). */
  | "hash"
  /** The bitmap of types of RFC 4034, 4.1.2. */
  | "types"
  | "eui48"
  | "eui64"
  /** Eight bytes as `0014:4fff:ff20:ee64` (RFC 6742, 2.1). */
  | "node"
  | "nsap"
  | "location"
  | "prefixes"
  | "parameters"
  /** Precedence, gateway type, algorithm, gateway (RFC 4025, 2.1). */
  | "gateway"
  /** Precedence, D and type, relay (RFC 8777, 4.2). */
  | "relay"
  /** HIT length, algorithm, key length, HIT, key, servers (RFC 8005, 5). */
  | "host identity";

const DIGEST: readonly Field[] = ["u16", "algorithm", "u8", "hex"];
const KEY: readonly Field[] = ["u16", "u8", "algorithm", "base64"];
const SIGNATURE: readonly Field[] = [
  "type",
  "algorithm",
  "u8",
  "ttl",
  "time",
  "time",
  "u16",
  "name",
  "base64",
];
const CERTIFICATE_ASSOCIATION: readonly Field[] = ["u8", "u8", "u8", "hex"];
const SERVICE: readonly Field[] = ["u16", "name", "parameters"];

const LAYOUTS = new Map<number, readonly Field[]>([
  [TYPE.A, ["ip4"]],
  [TYPE.NS, ["name"]],
  [TYPE.MD, ["name"]],
  [TYPE.MF, ["name"]],
  [TYPE.CNAME, ["name"]],
  [TYPE.SOA, ["name", "name", "u32", "ttl", "ttl", "ttl", "ttl"]],
  [TYPE.MB, ["name"]],
  [TYPE.MG, ["name"]],
  [TYPE.MR, ["name"]],
  [TYPE.PTR, ["name"]],
  [TYPE.HINFO, ["string", "string"]],
  [TYPE.MINFO, ["name", "name"]],
  [TYPE.MX, ["u16", "name"]],
  [TYPE.TXT, ["strings"]],
  [TYPE.RP, ["name", "name"]],
  [TYPE.AFSDB, ["u16", "name"]],
  [TYPE.X25, ["string"]],
  [TYPE.ISDN, ["string", "string?"]],
  [TYPE.RT, ["u16", "name"]],
  [TYPE.NSAP, ["nsap"]],
  [TYPE["NSAP-PTR"], ["name"]],
  [TYPE.SIG, SIGNATURE],
  [TYPE.KEY, ["u16", "u8", "algorithm", "base64?"]],
  [TYPE.PX, ["u16", "name", "name"]],
  [TYPE.GPOS, ["string", "string", "string"]],
  [TYPE.AAAA, ["ip6"]],
  [TYPE.LOC, ["location"]],
  [TYPE.SRV, ["u16", "u16", "u16", "name"]],
  [TYPE.NAPTR, ["u16", "u16", "string", "string", "string", "name"]],
  [TYPE.KX, ["u16", "name"]],
  [TYPE.CERT, ["certificate", "u16", "algorithm", "base64"]],
  [TYPE.DNAME, ["name"]],
  [TYPE.APL, ["prefixes"]],
  [TYPE.DS, DIGEST],
  [TYPE.SSHFP, ["u8", "u8", "hex"]],
  [TYPE.IPSECKEY, ["gateway", "base64?"]],
  [TYPE.RRSIG, SIGNATURE],
  [TYPE.NSEC, ["name", "types"]],
  [TYPE.DNSKEY, KEY],
  [TYPE.DHCID, ["base64"]],
  [TYPE.NSEC3, ["u8", "u8", "u16", "salt", "hash", "types"]],
  [TYPE.NSEC3PARAM, ["u8", "u8", "u16", "salt"]],
  [TYPE.TLSA, CERTIFICATE_ASSOCIATION],
  [TYPE.SMIMEA, CERTIFICATE_ASSOCIATION],
  [TYPE.HIP, ["host identity"]],
  [TYPE.NINFO, ["strings"]],
  [TYPE.RKEY, KEY],
  [TYPE.TALINK, ["name", "name"]],
  [TYPE.CDS, DIGEST],
  [TYPE.CDNSKEY, KEY],
  [TYPE.OPENPGPKEY, ["base64"]],
  [TYPE.CSYNC, ["u32", "u16", "types"]],
  [TYPE.ZONEMD, ["u32", "u8", "u8", "hex"]],
  [TYPE.SVCB, SERVICE],
  [TYPE.HTTPS, SERVICE],
  [TYPE.DSYNC, ["type", "u8", "u16", "name"]],
  [TYPE.SPF, ["strings"]],
  [TYPE.NID, ["u16", "node"]],
  [TYPE.L32, ["u16", "ip4"]],
  [TYPE.L64, ["u16", "node"]],
  [TYPE.LP, ["u16", "name"]],
  [TYPE.EUI48, ["eui48"]],
  [TYPE.EUI64, ["eui64"]],
  [TYPE.URI, ["u16", "u16", "text"]],
  [TYPE.CAA, ["u8", "tag", "text"]],
  [TYPE.AVC, ["strings"]],
  [TYPE.AMTRELAY, ["relay"]],
  [TYPE.RESINFO, ["strings"]],
  [TYPE.WALLET, ["strings"]],
  [TYPE.CLA, ["strings"]],
  [TYPE.TA, DIGEST],
  [TYPE.DLV, DIGEST],
]);

/** The fields of a type; undefined for one that is only known as bytes (RFC 3597). */
export function layoutOf(type: number): readonly Field[] | undefined {
  return LAYOUTS.get(type);
}
