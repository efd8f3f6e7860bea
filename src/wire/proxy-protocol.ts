/**
 * The PROXY protocol, versions 1 and 2 (haproxy.org/download/3.2/doc/proxy-protocol.txt): one
 * header ahead of a connection's bytes that says whose connection it is.
 *
 *     v1  "PROXY" SP TCP4|TCP6 SP source SP destination SP port SP port CRLF
 *     v2  signature(12)  version,command(1)  family,protocol(1)  length(2)  addresses  TLVs
 */
import type { Address } from "../core/address.ts";
import { type Ip, parseIp, showIp } from "../core/ip.ts";

export interface ProxyHeader {
  /** Bytes of the header; the connection's own begin behind it. */
  readonly length: number;
  /** Undefined when the header names none (LOCAL, UNKNOWN): use the socket's. */
  readonly source: Address | undefined;
  readonly destination: Address | undefined;
}

/** The longest v1 line, CRLF included (2.1). */
export const MAX_V1 = 107;
/** The longest v2 header read: 16 and two UNIX addresses leave 304 for TLVs, within the smallest TCP segment. */
export const MAX_V2 = 536;

const V1 = latin1Bytes("PROXY ");
const V2 = Uint8Array.fromHex("0d0a0d0a000d0a515549540a");
const V2_HEAD = 16;
const NONE = new Uint8Array();
const UNIX_PATH = 108;
const V1_LINE =
  /^PROXY (?:(TCP[46]) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})|UNKNOWN(?: [^\r\n]*)?)\r\n$/;

/** Read a header at the beginning of `bytes`. "absent": these bytes begin something else. */
export function parseProxy(bytes: Uint8Array): ProxyHeader | "incomplete" | "invalid" | "absent" {
  if (begins(bytes, V2)) return bytes.length < V2.length ? "incomplete" : parseV2(bytes);
  if (begins(bytes, V1)) return bytes.length < V1.length ? "incomplete" : parseV1(bytes);
  return "absent";
}

/** `source` and `destination` as a v1 line; UNKNOWN for what v1 cannot say. */
export function emitV1(source?: Address, destination?: Address): Uint8Array {
  const pair = ipPair(source, destination);
  if (pair === undefined) return latin1Bytes("PROXY UNKNOWN\r\n");
  const [from, to] = pair;
  const addresses = `${showIp(from.ip)} ${showIp(to.ip)}`;
  return latin1Bytes(`PROXY TCP${from.ip.version} ${addresses} ${from.port} ${to.port}\r\n`);
}

/**
 * `source` and `destination` as a v2 header, `tlvs` behind them; LOCAL when there are none, or none
 * v2 can say.
 */
export function emitV2(
  source?: Address,
  destination?: Address,
  tlvs: Uint8Array = NONE,
): Uint8Array {
  if (source?.kind === "unix" && destination?.kind === "unix") {
    const paths = new Uint8Array(2 * UNIX_PATH);
    const utf8 = new TextEncoder();
    utf8.encodeInto(source.path, paths.subarray(0, UNIX_PATH));
    utf8.encodeInto(destination.path, paths.subarray(UNIX_PATH));
    return framed(0x21, 0x31, paths, tlvs);
  }
  const pair = ipPair(source, destination);
  if (pair === undefined) return framed(0x20, 0, NONE, tlvs);
  const [from, to] = pair;
  const words = [...from.ip.words, ...to.ip.words];
  const body = new Uint8Array(words.length * 4 + 4);
  const view = new DataView(body.buffer);
  for (const [i, word] of words.entries()) view.setUint32(4 * i, word);
  view.setUint16(words.length * 4, from.port);
  view.setUint16(words.length * 4 + 2, to.port);
  return framed(0x21, from.ip.version === 4 ? 0x11 : 0x21, body, tlvs);
}

function parseV1(bytes: Uint8Array): ProxyHeader | "incomplete" | "invalid" {
  const end = bytes.subarray(0, MAX_V1).indexOf(10) + 1;
  if (end === 0) return bytes.length < MAX_V1 ? "incomplete" : "invalid";
  const line = V1_LINE.exec(String.fromCharCode(...bytes.subarray(0, end)));
  if (!line) return "invalid";
  const [, family, from = "", to = "", fromPort, toPort] = line;
  if (family === undefined) return { length: end, source: undefined, destination: undefined };
  const colons = family === "TCP6";
  if (from.includes(":") !== colons || to.includes(":") !== colons) return "invalid";
  const source = tcp(parseIp(from), Number(fromPort));
  const destination = tcp(parseIp(to), Number(toPort));
  return source && destination ? { length: end, source, destination } : "invalid";
}

function parseV2(bytes: Uint8Array): ProxyHeader | "incomplete" | "invalid" {
  if (bytes.length < V2_HEAD) return "incomplete";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const command = view.getUint8(12);
  const family = view.getUint8(13);
  const length = V2_HEAD + view.getUint16(14);
  if ((command !== 0x20 && command !== 0x21) || length > MAX_V2) return "invalid";
  if (bytes.length < length) return "incomplete";
  if (command === 0x20) return { length, source: undefined, destination: undefined };

  switch (family) {
    case 0x00: // UNSPEC
      return { length, source: undefined, destination: undefined };
    case 0x11: // TCP and UDP over IPv4
    case 0x12:
      return addresses(length, 4, (at) => ({ version: 4, words: [view.getUint32(at)] }), view);
    case 0x21: // and over IPv6
    case 0x22:
      return addresses(length, 16, (at) => ip6(view, at), view);
    case 0x31: // UNIX stream and datagram
    case 0x32: {
      if (length < V2_HEAD + 2 * UNIX_PATH) return "invalid";
      const source = unix(bytes, V2_HEAD);
      const destination = unix(bytes, V2_HEAD + UNIX_PATH);
      return { length, source, destination };
    }
    default:
      return "invalid";
  }
}

/** Two addresses of `width` bytes, then two ports; TLVs behind them are skipped. */
function addresses(
  length: number,
  width: number,
  read: (at: number) => Ip,
  view: DataView,
): ProxyHeader | "invalid" {
  const ports = V2_HEAD + 2 * width;
  if (length < ports + 4) return "invalid";
  const source = tcp(read(V2_HEAD), view.getUint16(ports));
  const destination = tcp(read(V2_HEAD + width), view.getUint16(ports + 2));
  return { length, source, destination };
}

function ip6(view: DataView, at: number): Ip {
  const [a, b, c, d] = [0, 4, 8, 12].map((i) => view.getUint32(at + i)) as [
    number,
    number,
    number,
    number,
  ];
  // What a dual-stack socket calls ::ffff:192.0.2.1 is 192.0.2.1 to every access list.
  if (a === 0 && b === 0 && c === 0xffff) return { version: 4, words: [d] };
  return { version: 6, words: [a, b, c, d] };
}

function tcp(ip: Ip | undefined, port: number): Address | undefined {
  if (ip === undefined || port > 0xffff) return undefined;
  return { kind: "tcp", host: showIp(ip), port };
}

/** A path ends at its first NUL; a nameless peer has none, and an abstract name begins with one. */
function unix(bytes: Uint8Array, at: number): Address | undefined {
  const field = bytes.subarray(at, at + UNIX_PATH);
  const end = field.indexOf(0);
  const path = new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
  return path === "" ? undefined : { kind: "unix", path };
}

interface Endpoint {
  readonly ip: Ip;
  readonly port: number;
}

/** Both as addresses of one family: IPv4 beside IPv6 becomes v4-mapped. */
function ipPair(source?: Address, destination?: Address): [Endpoint, Endpoint] | undefined {
  if (source?.kind !== "tcp" || destination?.kind !== "tcp") return undefined;
  const from = parseIp(source.host);
  const to = parseIp(destination.host);
  if (from === undefined || to === undefined) return undefined;
  const wide = from.version !== to.version;
  return [
    { ip: wide ? widened(from) : from, port: source.port },
    { ip: wide ? widened(to) : to, port: destination.port },
  ];
}

function widened(ip: Ip): Ip {
  return ip.version === 6 ? ip : { version: 6, words: [0, 0, 0xffff, ip.words[0]] };
}

function framed(command: number, family: number, body: Uint8Array, tlvs: Uint8Array): Uint8Array {
  const out = new Uint8Array(V2_HEAD + body.length + tlvs.length);
  out.set(V2);
  out[12] = command;
  out[13] = family;
  new DataView(out.buffer).setUint16(14, body.length + tlvs.length);
  out.set(body, V2_HEAD);
  out.set(tlvs, V2_HEAD + body.length);
  return out;
}

/** Do these bytes begin with `signature`, as far as there are any? */
function begins(bytes: Uint8Array, signature: Uint8Array): boolean {
  const n = Math.min(bytes.length, signature.length);
  for (let i = 0; i < n; i++) if (bytes[i] !== signature[i]) return false;
  return true;
}

function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}
