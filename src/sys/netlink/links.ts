import { SysError } from "../errno.ts";
import { attributes, type Message, readText, readU32, text, u32 } from "./message.ts";
import type { RouteSocket } from "./route-socket.ts";

/** A network device. */
export interface Link {
  /** Its number in its network namespace. */
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
  /** Bytes of the largest packet. */
  readonly mtu: number;
  /** Packets that wait to be sent, at most. */
  readonly txqueuelen: number;
  /** Ethernet address, six bytes; empty for a TUN. */
  readonly hardware: Uint8Array;
}

// struct ifinfomsg { u8 family, pad; u16 type; i32 index; u32 flags, change; }
const IFINFOMSG = 16;
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_TXQLEN = 13;
const IFF_UP = 1;

/** The device of that name. Undefined when there is none. */
export function linkNamed(socket: RouteSocket, name: string): Link | undefined {
  try {
    return parse(
      socket.get({
        call: "RTM_GETLINK",
        on: name,
        type: RTM_GETLINK,
        head: head(0),
        attributes: [[IFLA_IFNAME, text(name)]],
      }),
    );
  } catch (error) {
    if (error instanceof SysError && error.code === "ENODEV") return undefined;
    throw error;
  }
}

/** What is given is changed, the rest is left. */
export interface LinkChange {
  readonly up?: boolean;
  readonly mtu?: number;
  readonly txqueuelen?: number;
}

/** Throws SysError: ENODEV, EPERM without CAP_NET_ADMIN, EINVAL for an MTU it cannot have. */
export function changeLink(socket: RouteSocket, index: number, change: LinkChange): void {
  socket.command({
    call: "RTM_NEWLINK",
    on: `#${index}`,
    type: RTM_NEWLINK,
    head: head(index, change.up),
    attributes: [
      [IFLA_MTU, u32(change.mtu)],
      [IFLA_TXQLEN, u32(change.txqueuelen)],
    ],
  });
}

function head(index: number, up?: boolean): Uint8Array {
  const bytes = new Uint8Array(IFINFOMSG);
  const view = new DataView(bytes.buffer);
  view.setInt32(4, index, true);
  if (up !== undefined) {
    view.setUint32(8, up ? IFF_UP : 0, true);
    view.setUint32(12, IFF_UP, true);
  }
  return bytes;
}

function parse({ type, body }: Message): Link | undefined {
  if (type !== RTM_NEWLINK || body.length < IFINFOMSG) return undefined;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const has = attributes(body.subarray(IFINFOMSG));
  if (has === undefined) return undefined;
  return {
    index: view.getInt32(4, true),
    name: readText(has.get(IFLA_IFNAME)),
    up: (view.getUint32(8, true) & IFF_UP) !== 0,
    mtu: readU32(has.get(IFLA_MTU)) ?? 0,
    txqueuelen: readU32(has.get(IFLA_TXQLEN)) ?? 0,
    hardware: has.get(IFLA_ADDRESS) ?? new Uint8Array(),
  };
}
