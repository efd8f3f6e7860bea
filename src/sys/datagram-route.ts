import { emit, parse, type SocketAddress } from "./sockaddr.ts";

/** The way back to a client: its address, and control data with the address that it wrote to. */
export interface Route {
  readonly name: Uint8Array;
  readonly control: Uint8Array;
}

/**
 * Room for one cmsg(3) with an in_pktinfo (28 bytes) or an in6_pktinfo (36), with its padding:
 *
 *     0 length  8 level  12 type  16 …
 *     in_pktinfo:  16 interface  20 local address  24 destination
 *     in6_pktinfo: 16 address                      32 interface
 */
export const CONTROL = 40;
/** Where the data of a cmsg(3) begin. */
const PKTINFO = 16;
const IPPROTO_IP = 0;
const IP_INTERFACE = 16;
const IP6_INTERFACE = 32;

const NO_CONTROL = new Uint8Array();

/** The way of a connected socket: it knows its peer. */
export const CONNECTED: Route = { name: new Uint8Array(), control: NO_CONTROL };

/**
 * The way to an IP address; `mapped` when the socket takes IPv6 and IPv4 (host ""), since such a
 * one wants IPv4 addresses in IPv6 clothes. Undefined when `host` is no IP address.
 */
export function routeTo(host: string, port: number, mapped: boolean): Route | undefined {
  const [ip = "", scope = "0"] = host.split("%");
  const six = ip.includes(":");
  const name = emit(
    six || mapped
      ? { kind: "inet6", host: six ? ip : `::ffff:${ip}`, port, flow: 0, scope: Number(scope) }
      : { kind: "inet", host, port },
  );
  return name && { name, control: NO_CONTROL };
}

/** Whom a route leads to: an IPv4 address in IPv6 clothes as it is. */
export function endOf({ name }: Route): SocketAddress | undefined {
  return parse(name);
}

/**
 * The control data at `at` said where a datagram came to; sent back, they say where the answer comes
 * from. But by which interface, the routes decide; only a link-local address needs its link. So the
 * others lose theirs: `bytes` and `words` are the same memory, and `at` is a multiple of four.
 */
export function fromThere(bytes: Uint8Array, words: Int32Array, at: number): void {
  if (words[(at + 8) >> 2] === IPPROTO_IP) {
    words[(at + IP_INTERFACE) >> 2] = 0;
    return;
  }
  const from = at + PKTINFO;
  const linkLocal = bytes[from] === 0xfe && ((bytes[from + 1] as number) & 0xc0) === 0x80;
  if (!linkLocal) words[(at + IP6_INTERFACE) >> 2] = 0;
}
