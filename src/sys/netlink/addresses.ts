import { type Ip, showIp } from "../../core/ip.ts";
import { emitIp, familyOf, readIp } from "./ip-address.ts";
import { attributes, type Message } from "./message.ts";
import type { RouteSocket } from "./route-socket.ts";

/** An address of a device. */
export interface LinkAddress {
  /** The device. */
  readonly index: number;
  readonly address: Ip;
  /** Length of the network's prefix. With a peer it is the peer's. */
  readonly bits: number;
  /** Whoever is at the other end of a point-to-point link; a route to it comes with the address. */
  readonly peer?: Ip;
}

// struct ifaddrmsg { u8 family, bits, flags, scope; u32 index; }
const IFADDRMSG = 8;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
/** No duplicate address detection: nobody else is on this wire, and an address that waits cannot be bound. */
const IFA_F_NODAD = 2;
const NLM_F_CREATE = 0x400;
const NLM_F_REPLACE = 0x100;

/** Give a device an address; one it has already is no error. Throws SysError. */
export function addAddress(socket: RouteSocket, address: LinkAddress): void {
  socket.command(question(address, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE));
}

/** Throws SysError: EADDRNOTAVAIL when it has no such address. */
export function deleteAddress(socket: RouteSocket, address: LinkAddress): void {
  socket.command(question(address, RTM_DELADDR, 0));
}

/** The addresses of one device. */
export function addressesOf(socket: RouteSocket, index: number): LinkAddress[] {
  const all = socket.dump({
    call: "RTM_GETADDR",
    on: `#${index}`,
    type: RTM_GETADDR,
    // Older kernels tell of all devices, whichever is asked for.
    head: head(0, 0, index),
  });
  return all.flatMap((message) => parse(message) ?? []).filter((one) => one.index === index);
}

function question(
  { index, address, bits, peer }: LinkAddress,
  type: number,
  flags: number,
): Parameters<RouteSocket["command"]>[0] {
  return {
    call: type === RTM_NEWADDR ? "RTM_NEWADDR" : "RTM_DELADDR",
    on: `${showIp(address)}/${bits} #${index}`,
    type,
    flags,
    head: head(familyOf(address), bits, index),
    attributes: [
      [IFA_LOCAL, emitIp(address)],
      [IFA_ADDRESS, emitIp(peer ?? address)],
      [IFA_FLAGS, new Uint8Array(Uint32Array.of(address.version === 6 ? IFA_F_NODAD : 0).buffer)],
    ],
  };
}

function head(family: number, bits: number, index: number): Uint8Array {
  const bytes = new Uint8Array(IFADDRMSG);
  bytes[0] = family;
  bytes[1] = bits;
  new DataView(bytes.buffer).setUint32(4, index, true);
  return bytes;
}

function parse({ type, body }: Message): LinkAddress | undefined {
  if (type !== RTM_NEWADDR || body.length < IFADDRMSG) return undefined;
  const has = attributes(body.subarray(IFADDRMSG));
  const prefix = readIp(has?.get(IFA_ADDRESS));
  // IPv6 has IFA_LOCAL only when there is a peer.
  const address = readIp(has?.get(IFA_LOCAL)) ?? prefix;
  if (address === undefined || prefix === undefined) return undefined;
  return {
    index: new DataView(body.buffer, body.byteOffset).getUint32(4, true),
    address,
    bits: body[1] ?? 0,
    ...(showIp(prefix) === showIp(address) ? {} : { peer: prefix }),
  };
}
