import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { block, pointer } from "./memory.ts";
import { parse, SOCKADDR_MAX, type SocketAddress } from "./sockaddr.ts";

const libc = openLibc({
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
});

// Numbers of asm-generic/socket.h, netinet/tcp.h and netinet/in.h: the same on x86-64 and arm64.
const SOL_SOCKET = 1;
const IPPROTO_IP = 0;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const IPPROTO_IPV6 = 41;

/** The int-valued options we speak of, each with its level and number. */
export const OPTIONS = {
  SO_REUSEADDR: [SOL_SOCKET, 2],
  SO_TYPE: [SOL_SOCKET, 3],
  /** Why it failed, once; asking clears it. */
  SO_ERROR: [SOL_SOCKET, 4],
  /** Bytes; the kernel doubles it for its own needs and stops at net.core.wmem_max. */
  SO_SNDBUF: [SOL_SOCKET, 7],
  /** Bytes; the kernel doubles it for its own needs and stops at net.core.rmem_max. */
  SO_RCVBUF: [SOL_SOCKET, 8],
  /** No checksum on what a UDP socket sends over IPv4. */
  SO_NO_CHECK: [SOL_SOCKET, 11],
  SO_REUSEPORT: [SOL_SOCKET, 15],
  SO_ACCEPTCONN: [SOL_SOCKET, 30],
  /** As SO_SNDBUF, past the limit: needs CAP_NET_ADMIN. */
  SO_SNDBUFFORCE: [SOL_SOCKET, 32],
  /** As SO_RCVBUF, past the limit: needs CAP_NET_ADMIN. */
  SO_RCVBUFFORCE: [SOL_SOCKET, 33],
  SO_DOMAIN: [SOL_SOCKET, 39],
  /** Tell with each datagram the address it was sent to. */
  IP_PKTINFO: [IPPROTO_IP, 8],
  IP_MTU_DISCOVER: [IPPROTO_IP, 10],
  TCP_NODELAY: [IPPROTO_TCP, 1],
  /** Seconds; the kernel rounds up to a number of SYN-ACK retries. */
  TCP_DEFER_ACCEPT: [IPPROTO_TCP, 9],
  TCP_FASTOPEN: [IPPROTO_TCP, 23],
  /** Hand over datagrams of one sender and length together. */
  UDP_GRO: [IPPROTO_UDP, 104],
  IPV6_MTU_DISCOVER: [IPPROTO_IPV6, 23],
  IPV6_V6ONLY: [IPPROTO_IPV6, 26],
  IPV6_RECVPKTINFO: [IPPROTO_IPV6, 49],
} as const satisfies Record<string, readonly [level: number, name: number]>;
export type Option = keyof typeof OPTIONS;

const value = block(4);
const length = block(4);

/** Set `option`, or throw SysError: `setsockopt TCP_FASTOPEN fd 7: ENOPROTOOPT`. */
export function setOption(fd: number, option: Option, to: number): void {
  const [level, name] = OPTIONS[option];
  value.view.setInt32(0, to, true);
  if (libc.setsockopt(fd, level, name, pointer(value.at), 4) < 0)
    throw new SysError("setsockopt", errno(), `${option} fd ${fd}`);
}

/** The option's value; undefined when this kind of socket has no such option. */
export function getOption(fd: number, option: Option): number | undefined {
  const [level, name] = OPTIONS[option];
  length.view.setUint32(0, 4, true);
  if (libc.getsockopt(fd, level, name, pointer(value.at), pointer(length.at)) === 0)
    return value.view.getInt32(0, true);
  const why = errno();
  if (why === "ENOPROTOOPT" || why === "EOPNOTSUPP") return undefined;
  throw new SysError("getsockopt", why, `${option} fd ${fd}`);
}

const name = block(SOCKADDR_MAX);

/** What `fd` is bound to; undefined for a family we do not speak. */
export function boundTo(fd: number): SocketAddress | undefined {
  length.view.setUint32(0, SOCKADDR_MAX, true);
  if (libc.getsockname(fd, pointer(name.at), pointer(length.at)) < 0)
    throw new SysError("getsockname", errno(), `fd ${fd}`);
  return parse(name.bytes.subarray(0, length.view.getUint32(0, true)));
}

const TCP_INFO = 11;
// struct tcp_info (linux/tcp.h): eight u8, then u32: rto, ato, snd_mss, rcv_mss, unacked, sacked, …
// Of a listening socket `unacked` is the accept queue now and `sacked` its limit.
const UNACKED = 24;
const SACKED = 28;
const info = block(SACKED + 4);

/** The accept queue of a listening TCP socket: how many wait, and how many may. */
export function acceptQueue(fd: number): { waiting: number; limit: number } | undefined {
  length.view.setUint32(0, info.bytes.length, true);
  if (libc.getsockopt(fd, IPPROTO_TCP, TCP_INFO, pointer(info.at), pointer(length.at)) < 0)
    return undefined;
  return { waiting: info.view.getUint32(UNACKED, true), limit: info.view.getUint32(SACKED, true) };
}
