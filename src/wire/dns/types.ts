/** Numbers and mnemonics of the IANA registry "Domain Name System (DNS) Parameters". */

/** RR types by name; every one has `TYPEn` besides (RFC 3597, 5). */
export const TYPE = {
  A: 1,
  NS: 2,
  MD: 3,
  MF: 4,
  CNAME: 5,
  SOA: 6,
  MB: 7,
  MG: 8,
  MR: 9,
  NULL: 10,
  WKS: 11,
  PTR: 12,
  HINFO: 13,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  X25: 19,
  ISDN: 20,
  RT: 21,
  NSAP: 22,
  "NSAP-PTR": 23,
  SIG: 24,
  KEY: 25,
  PX: 26,
  GPOS: 27,
  AAAA: 28,
  LOC: 29,
  NXT: 30,
  EID: 31,
  NIMLOC: 32,
  SRV: 33,
  ATMA: 34,
  NAPTR: 35,
  KX: 36,
  CERT: 37,
  A6: 38,
  DNAME: 39,
  SINK: 40,
  OPT: 41,
  APL: 42,
  DS: 43,
  SSHFP: 44,
  IPSECKEY: 45,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  DHCID: 49,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  HIP: 55,
  NINFO: 56,
  RKEY: 57,
  TALINK: 58,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  DSYNC: 66,
  HHIT: 67,
  BRID: 68,
  SPF: 99,
  UINFO: 100,
  UID: 101,
  GID: 102,
  UNSPEC: 103,
  NID: 104,
  L32: 105,
  L64: 106,
  LP: 107,
  EUI48: 108,
  EUI64: 109,
  NXNAME: 128,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
  URI: 256,
  CAA: 257,
  AVC: 258,
  DOA: 259,
  AMTRELAY: 260,
  RESINFO: 261,
  WALLET: 262,
  CLA: 263,
  IPN: 264,
  TA: 32768,
  DLV: 32769,
} as const;

export const CLASS = { IN: 1, CH: 3, HS: 4, NONE: 254, ANY: 255 } as const;

export const OPCODE = { QUERY: 0, IQUERY: 1, STATUS: 2, NOTIFY: 4, UPDATE: 5, DSO: 6 } as const;

/** Rcodes; above 15 only with EDNS (RFC 6891, 6.1.3) or in a TSIG (RFC 8945, 3). */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  DSOTYPENI: 11,
  BADVERS: 16,
  BADKEY: 17,
  BADTIME: 18,
  BADMODE: 19,
  BADNAME: 20,
  BADALG: 21,
  BADTRUNC: 22,
  BADCOOKIE: 23,
} as const;

const typeNames = namesOf(TYPE);
const classNames = namesOf(CLASS);
const opcodeNames = namesOf(OPCODE);
const rcodeNames = namesOf(RCODE);
const typeNumbers = new Map<string, number>(Object.entries(TYPE));
const classNumbers = new Map<string, number>(Object.entries(CLASS));

/** `MX`, or `TYPE65280` for one without a name. */
export function showType(type: number): string {
  return typeNames.get(type) ?? `TYPE${type}`;
}

/** The inverse of `showType`, whatever the case. */
export function parseType(text: string): number | undefined {
  const name = text.toUpperCase();
  return typeNumbers.get(name) ?? numbered(name, "TYPE");
}

/** `IN`, or `CLASS32`. */
export function showClass(number: number): string {
  return classNames.get(number) ?? `CLASS${number}`;
}

/** The inverse of `showClass`, whatever the case. */
export function parseClass(text: string): number | undefined {
  const name = text.toUpperCase();
  return classNumbers.get(name) ?? numbered(name, "CLASS");
}

/** `NXDOMAIN`, or `RCODE3841`. */
export function showRcode(rcode: number): string {
  return rcodeNames.get(rcode) ?? `RCODE${rcode}`;
}

/** `QUERY`, or `OPCODE15`. */
export function showOpcode(opcode: number): string {
  return opcodeNames.get(opcode) ?? `OPCODE${opcode}`;
}

function namesOf(numbers: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(numbers).map(([name, number]) => [number, name]));
}

function numbered(name: string, word: string): number | undefined {
  if (!name.startsWith(word)) return undefined;
  const digits = name.slice(word.length);
  const number = /^(?:0|[1-9]\d{0,4})$/.test(digits) ? Number(digits) : Number.NaN;
  return number <= 0xffff ? number : undefined;
}
