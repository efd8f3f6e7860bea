/** EDNS(0): the OPT record (RFC 6891) and the codes of its options. */

/** Option codes of the IANA registry that are read or written here. */
export const OPTION = {
  NSID: 3, // RFC 5001
  ECS: 8, // RFC 7871
  COOKIE: 10, // RFC 7873
  KEEPALIVE: 11, // RFC 7828
  PADDING: 12, // RFC 7830
  EDE: 15, // RFC 8914
} as const;

/** Info codes of extended errors that a server of its own zones has use for (RFC 8914, 4). */
export const EDE = {
  OTHER: 0,
  STALE_ANSWER: 3,
  FORGED_ANSWER: 4,
  NOT_READY: 14,
  BLOCKED: 15,
  PROHIBITED: 18,
  NOT_AUTHORITATIVE: 20,
  NOT_SUPPORTED: 21,
  NETWORK_ERROR: 23,
  INVALID_DATA: 24,
  INVALID_QUERY_TYPE: 30, // RFC 9824, 3.5
} as const;

/** An OPT record without options: root, type, size, extended rcode and flags, length. */
export const OPT_LENGTH = 11;
/** What a client without EDNS takes over UDP; a smaller advertised size means this (RFC 6891, 6.2.3). */
export const MIN_UDP_SIZE = 512;
/** The size that passes unfragmented nearly everywhere (DNS Flag Day 2020). */
export const SAFE_UDP_SIZE = 1232;
/** The version spoken here; another is answered BADVERS. */
export const EDNS_VERSION = 0;
/** DO, in the low 16 bits of the TTL (RFC 3225). */
export const DNSSEC_OK = 0x8000;
/** CO, compact answers wanted (RFC 9824, 5.1). */
export const COMPACT_OK = 0x4000;

/** Block sizes of padded answers and of padded queries (RFC 8467, 4.1). */
export const PAD_ANSWER = 468;
export const PAD_QUERY = 128;
