import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { address, block, pointer } from "./memory.ts";
import { AF_INET, AF_INET6, emit } from "./sockaddr.ts";
import { SOCK_DGRAM, SOCK_FLAGS, SOCK_RAW } from "./socket-types.ts";
import { close } from "./socket.ts";

const libc = openLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  sendto: { args: ["i32", "ptr", "usize", "i32", "ptr", "u32"], returns: "i32" },
});

const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const SOL_RAW = 255;
const ICMP_FILTER = 1;
const ICMP6_FILTER = 1;
const ICMP_ECHOREPLY = 0;
const ICMP6_ECHO_REPLY = 129;

/** A socket for echo requests. `headed`: what is read begins with the IP header. */
export interface PingSocket {
  readonly fd: number;
  readonly family: 4 | 6;
  readonly headed: boolean;
}

/**
 * A raw socket that hears echo replies only (needs CAP_NET_RAW), or an unprivileged ping socket
 * (icmp(7): for groups in net.ipv4.ping_group_range). Throws SysError EPERM or EACCES when neither
 * is allowed, EAFNOSUPPORT where there is no such family.
 */
export function openPing(family: 4 | 6): PingSocket {
  const [domain, protocol] = family === 4 ? [AF_INET, IPPROTO_ICMP] : [AF_INET6, IPPROTO_ICMPV6];
  const raw = libc.socket(domain, SOCK_RAW | SOCK_FLAGS, protocol);
  if (raw >= 0) {
    onlyReplies(raw, family);
    return { fd: raw, family, headed: family === 4 };
  }
  const why = errno();
  const fd = libc.socket(domain, SOCK_DGRAM | SOCK_FLAGS, protocol);
  if (fd < 0) throw new SysError("socket", why, `ICMP over IPv${family}`);
  return { fd, family, headed: false };
}

/** A set bit is a type that is kept out. */
function onlyReplies(fd: number, family: 4 | 6): void {
  const [level, option, type, size] =
    family === 4
      ? [SOL_RAW, ICMP_FILTER, ICMP_ECHOREPLY, 4]
      : [IPPROTO_ICMPV6, ICMP6_FILTER, ICMP6_ECHO_REPLY, 32];
  const filter = block(size);
  filter.bytes.fill(0xff);
  const at = (type >>> 5) * 4;
  filter.view.setUint32(at, ~(1 << (type & 31)) >>> 0, true);
  if (libc.setsockopt(fd, level, option, pointer(filter.at), size) === 0) return;
  const why = errno();
  close(fd);
  throw new SysError("setsockopt", why, `ICMP filter fd ${fd}`);
}

/**
 * Send to an IP address. False when it cannot go out now or at all: no route, no buffers. Throws
 * SysError for what is our own fault, and when `host` is no address of the socket's family.
 */
export function sendPing(
  { fd, family }: PingSocket,
  host: string,
  bytes: Uint8Array<ArrayBuffer>,
): boolean {
  const to = emit(
    family === 4
      ? { kind: "inet", host, port: 0 }
      : { kind: "inet6", host, port: 0, flow: 0, scope: 0 },
  );
  if (to === undefined) throw new SysError("sendto", "EINVAL", host);
  if (
    libc.sendto(fd, pointer(address(bytes)), bytes.length, 0, pointer(address(to)), to.length) >= 0
  )
    return true;
  const why = errno();
  if (why === "EBADF" || why === "EFAULT" || why === "ENOTSOCK" || why === "EINVAL")
    throw new SysError("sendto", why, host);
  return false;
}
