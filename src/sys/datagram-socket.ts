import { type Address, showAddress } from "../core/address.ts";
import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { portOf, toSocketAddress } from "./listen.ts";
import { address as addressOf, pointer } from "./memory.ts";
import { AF_INET, AF_INET6, emit, type SocketAddress } from "./sockaddr.ts";
import { boundTo, getOption, type Option, setOption } from "./socket-options.ts";
import { SOCK_DGRAM, SOCK_FLAGS } from "./socket-types.ts";
import { close } from "./socket.ts";

const libc = openLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
});

/**
 * ip(7) IP_MTU_DISCOVER: never set DF, and believe no router about the path's MTU. Whoever can
 * forge that word could have our answers cut into fragments of his liking (RFC 9715, 3.1).
 */
const IP_PMTUDISC_OMIT = 5;
/** Set DF, and believe no router either: the sender looks for itself (RFC 8899). */
const IP_PMTUDISC_PROBE = 3;

/** What the kernel is asked for. */
export interface DatagramOptions {
  readonly reusePort: boolean;
  /** Bytes the kernel may hold for us each way; it doubles them, and may have a lower limit. */
  readonly buffer: number;
  /** Never cut what is sent: what is too long for the path is lost, and its sender finds out (QUIC). */
  readonly dontFragment?: boolean;
}

/**
 * A UDP socket, non-blocking and close-on-exec. Hosts are as for `listenStream`: "" takes IPv6
 * and IPv4 on one socket. A socket bound to no one address is told the one each datagram was
 * sent to (`wildcard`), so that the answer can come from there.
 *
 * Throws SysError naming call, address and why: `bind 0.0.0.0:53: EACCES`.
 */
export function bindDatagram(
  address: Address,
  options: DatagramOptions,
): { fd: number; port: number } {
  const where = address.kind === "tcp" ? toSocketAddress(address) : undefined;
  if (where === undefined || address.kind !== "tcp")
    throw new SysError("bind", "EADDRNOTAVAIL", showAddress(address));
  try {
    return bound(where, address.host === "", options);
  } catch (failed) {
    const noIp6 = failed instanceof SysError && failed.code === "EAFNOSUPPORT";
    if (noIp6 && address.host === "")
      return bound({ kind: "inet", host: "0.0.0.0", port: address.port }, false, options);
    throw failed instanceof SysError
      ? new SysError(failed.call, failed.code, showAddress(address), { cause: failed })
      : failed;
  }
}

/**
 * A UDP socket to `port` of this machine, over loopback, and its own port. Undefined when the
 * process is out of files.
 */
export function dialDatagram(to: number, buffer: number): { fd: number; port: number } | undefined {
  const fd = libc.socket(AF_INET, SOCK_DGRAM | SOCK_FLAGS, 0);
  if (fd < 0) return undefined;
  const where = emit({ kind: "inet", host: "127.0.0.1", port: to });
  if (where === undefined || libc.connect(fd, pointer(addressOf(where)), where.length) < 0) {
    close(fd);
    return undefined;
  }
  ask(fd, "SO_RCVBUFFORCE", "SO_RCVBUF", buffer);
  return { fd, port: portOf(fd) };
}

/** Does `fd` take datagrams for more than one address? Then replies must say which is theirs. */
export function isWildcard(fd: number): boolean {
  const at = boundTo(fd);
  return (
    (at?.kind === "inet" && at.host === "0.0.0.0") || (at?.kind === "inet6" && at.host === "::")
  );
}

/** Is it a datagram socket at all? */
export function isDatagram(fd: number): boolean {
  return getOption(fd, "SO_TYPE") === SOCK_DGRAM;
}

function bound(
  where: SocketAddress,
  both: boolean,
  options: DatagramOptions,
): { fd: number; port: number } {
  const on = JSON.stringify(where);
  const six = where.kind === "inet6";
  const fd = libc.socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_FLAGS, 0);
  if (fd < 0) throw new SysError("socket", errno(), on);
  try {
    if (options.reusePort) setOption(fd, "SO_REUSEPORT", 1);
    if (six) setOption(fd, "IPV6_V6ONLY", both ? 0 : 1);
    const mtu = options.dontFragment === true ? IP_PMTUDISC_PROBE : IP_PMTUDISC_OMIT;
    if (six) setOption(fd, "IPV6_MTU_DISCOVER", mtu);
    if (!six || both) setOption(fd, "IP_MTU_DISCOVER", mtu);
    ask(fd, "SO_RCVBUFFORCE", "SO_RCVBUF", options.buffer);
    ask(fd, "SO_SNDBUFFORCE", "SO_SNDBUF", options.buffer);
    const bytes = emit(where);
    if (bytes === undefined) throw new SysError("bind", "EADDRNOTAVAIL", on);
    if (libc.bind(fd, pointer(addressOf(bytes)), bytes.length) < 0)
      throw new SysError("bind", errno(), on);
    if (isWildcard(fd)) setOption(fd, six ? "IPV6_RECVPKTINFO" : "IP_PKTINFO", 1);
    return { fd, port: portOf(fd) };
  } catch (failed) {
    close(fd);
    throw failed;
  }
}

/** As much as is asked when we are root, else as much as the system allows. */
function ask(fd: number, force: Option, plain: Option, bytes: number): void {
  try {
    setOption(fd, force, bytes);
  } catch {
    setOption(fd, plain, bytes);
  }
}
