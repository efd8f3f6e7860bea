/** What a query's OPT record says, read in place. */
import { MIN_UDP_SIZE, OPTION } from "./edns.ts";

/** The OPT record of a query; part of `Query`. Offsets are into the bytes that were read. */
export class QueryOptions {
  present = false;
  /** Bytes the client takes in one datagram: at least 512, which is also what no OPT means. */
  udpSize: number = MIN_UDP_SIZE;
  version = 0;
  /** DNSSEC records wanted. */
  do = false;
  /** Compact denial understood, with its own rcode (RFC 9824, 5.1). */
  compact = false;
  optionsStart = 0;
  optionsEnd = 0;
  /** The server's name asked for. */
  nsid = false;
  /** The cookie: 8 bytes of the client, and up to 32 of a server. -1 without. */
  cookieAt = -1;
  cookieLength = 0;
  /** The client subnet option's content (family, source, scope, address). -1 without. */
  ecsAt = -1;
  ecsLength = 0;
  /** 1 for IPv4, 2 for IPv6, 0 for "do not look at me" or none. */
  ecsFamily = 0;
  /** Bits of the address that are given. */
  ecsSource = 0;
  /** The address, zeros behind the bits given: 4 bytes of it for IPv4, 16 for IPv6. */
  readonly ecsAddress: Uint8Array = new Uint8Array(16);
  /** The client would like to hear how long a connection may be idle. */
  keepalive = false;
  /** The client padded its query: pad the answer, over an encrypted transport. */
  padding = false;
}

/** A client's 8 bytes alone, or with 8 to 32 of a server (RFC 7873, 4). */
const CLIENT_COOKIE = 8;
const MIN_COOKIE = 16;
const MAX_COOKIE = 40;

/** As without an OPT record. */
export function clearOptions(edns: QueryOptions): void {
  edns.present = edns.do = edns.compact = edns.nsid = edns.keepalive = edns.padding = false;
  edns.udpSize = MIN_UDP_SIZE;
  edns.version = 0;
  edns.optionsStart = edns.optionsEnd = 0;
  edns.cookieAt = edns.ecsAt = -1;
  edns.cookieLength = edns.ecsLength = edns.ecsFamily = edns.ecsSource = 0;
}

/** Read the options; false when one overruns, or is not as its RFC has it. */
export function readOptions(bytes: Uint8Array, edns: QueryOptions): boolean {
  const end = edns.optionsEnd;
  let at = edns.optionsStart;
  while (at < end) {
    if (at + 4 > end) return false;
    const code = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    const length = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
    at += 4;
    if (at + length > end) return false;
    switch (code) {
      case OPTION.NSID:
        edns.nsid = true;
        break;
      case OPTION.COOKIE:
        if (length !== CLIENT_COOKIE && (length < MIN_COOKIE || length > MAX_COOKIE)) return false;
        if (edns.cookieAt >= 0) break; // RFC 7873, 5.2: all but the first are ignored
        edns.cookieAt = at;
        edns.cookieLength = length;
        break;
      case OPTION.ECS:
        if (edns.ecsAt >= 0 || !readSubnet(bytes, at, length, edns)) return false;
        break;
      case OPTION.KEEPALIVE:
        edns.keepalive = true;
        break;
      case OPTION.PADDING:
        edns.padding = true;
        break;
      default: // RFC 6891, 6.1.2: unknown ones are ignored
    }
    at += length;
  }
  return true;
}

const ADDRESS_BITS = [0, 32, 128];

/** RFC 7871, 6: as many bytes as the prefix needs, zeros behind its last bit, and no scope yet. */
function readSubnet(bytes: Uint8Array, at: number, length: number, edns: QueryOptions): boolean {
  if (length < 4) return false;
  const family = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  const source = bytes[at + 2] as number;
  const bits = ADDRESS_BITS[family];
  if (bits === undefined || source > bits || bytes[at + 3] !== 0) return false;
  const width = (source + 7) >>> 3;
  if (length !== 4 + width) return false;
  if (source & 7 && (bytes[at + 3 + width] as number) & (0xff >>> (source & 7))) return false;

  edns.ecsAt = at;
  edns.ecsLength = length;
  edns.ecsFamily = family;
  edns.ecsSource = source;
  const { ecsAddress } = edns;
  for (let i = 0; i < 16; i++) ecsAddress[i] = i < width ? (bytes[at + 4 + i] as number) : 0;
  return true;
}
