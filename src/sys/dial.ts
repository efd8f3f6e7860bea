import { type Errno, errno, errnoName, errnoNumber, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { address, type Block, block, pointer } from "./memory.ts";
import { AF_INET, AF_INET6, emit } from "./sockaddr.ts";
import { getOption } from "./socket-options.ts";
import { SOCK_DGRAM, SOCK_FLAGS, SOCK_STREAM } from "./socket-types.ts";
import { close } from "./socket.ts";

const libc = openLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
});

/** Why a connection did not come about. */
export type Refused = Errno | `errno ${number}`;

/**
 * Begin a TCP connection to an IP address: it is there, or has failed, once the descriptor is
 * writable; `dialled` tells which. A failure that is known at once is answered instead.
 */
export function dial(host: string, port: number): { fd: number } | { why: Refused } {
  const to = emit(
    host.includes(":")
      ? { kind: "inet6", host, port, flow: 0, scope: 0 }
      : { kind: "inet", host, port },
  );
  if (to === undefined) throw new SysError("connect", "EINVAL", `${host} ${port}`);
  const fd = libc.socket(host.includes(":") ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_FLAGS, 0);
  if (fd < 0) return { why: errno() };
  if (libc.connect(fd, pointer(address(to)), to.length) === 0) return { fd };
  const why = errno();
  if (why === "EINPROGRESS" || why === "EINTR") return { fd };
  close(fd);
  return { why };
}

/** Undefined when the connection of a writable descriptor stands. */
export function dialled(fd: number): Refused | undefined {
  const why = getOption(fd, "SO_ERROR") ?? 0;
  return why === 0 ? undefined : errnoName(why);
}

/** Where to connect to, as the kernel wants it: made once, dialled often. */
export interface Destination {
  readonly host: string;
  readonly port: number;
  readonly family: number;
  readonly to: Block;
  /** The address to come from; undefined: the kernel chooses. */
  readonly from: Block | undefined;
}

/** Undefined when `host` or `source` is no IP address, or they are of different families. */
export function destination(host: string, port: number, source?: string): Destination | undefined {
  const to = name(host, port);
  const from = source === undefined ? undefined : name(source, 0);
  if (to === undefined || (source !== undefined && from?.bytes.length !== to.bytes.length))
    return undefined;
  return { host, port, family: host.includes(":") ? AF_INET6 : AF_INET, to, from };
}

function name(host: string, port: number): Block | undefined {
  const bytes = emit(
    host.includes(":")
      ? { kind: "inet6", host, port, flow: 0, scope: 0 }
      : { kind: "inet", host, port },
  );
  if (bytes === undefined) return undefined;
  const made = block(bytes.length);
  made.bytes.set(bytes);
  return made;
}

const zero = block(4);
const one = block(4);
one.view.setInt32(0, 1, true);
const IPPROTO_IP = 0;
const IP_BIND_ADDRESS_NO_PORT = 24;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_QUICKACK = 12;
const EINTR = 4;
const EINPROGRESS = 115;

/**
 * As `dial`, without garbage: a descriptor with TCP_NODELAY whose connection is under way, or,
 * below zero, the errno of a failure that is known at once. `eager`: bytes for it are there and will
 * be sent at once, so that the last ACK of the handshake goes with them instead of alone.
 */
export function dialTo({ family, to, from }: Destination, eager: boolean): number {
  const fd = libc.socket(family, SOCK_STREAM | SOCK_FLAGS, 0);
  if (fd < 0) return -errnoNumber();
  libc.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, pointer(one.at), 4);
  if (eager) libc.setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, pointer(zero.at), 4);
  if (from !== undefined) {
    // The port is chosen when both ends are known: as many connections as there are pairs.
    libc.setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, pointer(one.at), 4);
    if (libc.bind(fd, pointer(from.at), from.bytes.length) < 0) return failed(fd);
  }
  if (libc.connect(fd, pointer(to.at), to.bytes.length) === 0) return fd;
  const why = errnoNumber();
  if (why === EINPROGRESS || why === EINTR) return fd;
  close(fd);
  return -why;
}

/** A UDP socket that sends to `to` and hears from nobody else; or, below zero, an errno. */
export function dialDatagram({ family, to, from }: Destination): number {
  const fd = libc.socket(family, SOCK_DGRAM | SOCK_FLAGS, 0);
  if (fd < 0) return -errnoNumber();
  if (from !== undefined && libc.bind(fd, pointer(from.at), from.bytes.length) < 0)
    return failed(fd);
  return libc.connect(fd, pointer(to.at), to.bytes.length) === 0 ? fd : failed(fd);
}

function failed(fd: number): number {
  const why = errnoNumber();
  close(fd);
  return -why;
}
