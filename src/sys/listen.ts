import { chmodSync, lstatSync, type Stats, unlinkSync } from "node:fs";

import { type Address, showAddress } from "../core/address.ts";
import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { address as addressOf, pointer } from "./memory.ts";
import { AF_INET, AF_INET6, AF_UNIX, emit, type SocketAddress } from "./sockaddr.ts";
import { acceptQueue, boundTo, getOption, setOption } from "./socket-options.ts";
import { SOCK_FLAGS, SOCK_STREAM } from "./socket-types.ts";
import { close } from "./socket.ts";

const libc = openLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  listen: { args: ["i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  if_nametoindex: { args: ["cstring"], returns: "u32" },
});

/** Who may connect to a unix socket, unless told otherwise: everyone who can reach its directory, as with a port. */
const UNIX_MODE = 0o666;

/** What the kernel is asked for. `SocketOptions` is one. */
export interface ListenOptions {
  readonly backlog: number;
  readonly reusePort: boolean;
  /** TCP_FASTOPEN queue length; 0 is off. Works where net.ipv4.tcp_fastopen has bit 2 set. */
  readonly fastOpen: number;
  /** TCP_DEFER_ACCEPT in milliseconds, rounded up to seconds; 0 is off. */
  readonly deferAccept: number;
  /** Permissions of a unix socket's file. */
  readonly mode?: number;
}

/**
 * A listening stream socket, non-blocking and close-on-exec. `port` is the one the kernel gave
 * when the address says 0, and 0 for unix. TCP_NODELAY is set: accepted sockets inherit it.
 *
 * Host "" takes IPv6 and IPv4 on one socket, or IPv4 alone where the kernel has no IPv6; any
 * other host takes exactly its own family. `unix:@name` is an abstract name. A unix socket file
 * nobody answers on is replaced; one in use is EADDRINUSE.
 *
 * Throws SysError naming call, address and why: `bind 0.0.0.0:80: EACCES`.
 */
export function listenStream(
  address: Address,
  options: ListenOptions,
): { fd: number; port: number } {
  const fd = bindStream(address, options);
  try {
    const where = toSocketAddress(address);
    if (where?.kind === "unix") chmodSync(where.path, options.mode ?? UNIX_MODE);
    applyOptions(fd, options);
    return { fd, port: portOf(fd) };
  } catch (failed) {
    close(fd);
    throw failed instanceof SysError
      ? new SysError(failed.call, failed.code, showAddress(address), { cause: failed })
      : failed;
  }
}

/** As `listenStream`, before it listens: nobody can connect yet. Throws SysError. */
export function bindStream(address: Address, options: ListenOptions): number {
  const where = toSocketAddress(address);
  if (where === undefined) throw new SysError("bind", "EADDRNOTAVAIL", showAddress(address));
  try {
    return bound(where, address, options);
  } catch (failed) {
    const noIp6 = failed instanceof SysError && failed.code === "EAFNOSUPPORT";
    if (!noIp6 || address.kind !== "tcp" || address.host !== "") throw failed;
    return bound({ kind: "inet", host: "0.0.0.0", port: address.port }, address, options);
  }
}

/**
 * Set what can be set on a bound socket, new or in use, and (re)listen with the backlog. Only
 * SO_REUSEPORT and the unix mode are decided at bind time and stay as they are.
 */
export function applyOptions(fd: number, options: ListenOptions): void {
  if (getOption(fd, "SO_DOMAIN") !== AF_UNIX) {
    setOption(fd, "TCP_NODELAY", 1);
    setOption(fd, "TCP_DEFER_ACCEPT", Math.ceil(options.deferAccept / 1000));
    ifKnown(() => setOption(fd, "TCP_FASTOPEN", options.fastOpen));
  }
  if (libc.listen(fd, options.backlog) < 0) throw new SysError("listen", errno(), `fd ${fd}`);
}

/** TCP Fast Open is a speed-up: a kernel without it (gVisor, some containers) still serves. */
function ifKnown(set: () => void): void {
  try {
    set();
  } catch (failed) {
    if (!(failed instanceof SysError) || failed.code !== "ENOPROTOOPT") throw failed;
  }
}

/** What the kernel says of a socket. An option its family lacks is undefined. */
export interface ReadBack {
  readonly address: SocketAddress | undefined;
  readonly listening: boolean;
  readonly reuseAddress: boolean;
  readonly reusePort: boolean;
  readonly noDelay: boolean | undefined;
  /** Queue length. */
  readonly fastOpen: number | undefined;
  /** Milliseconds, after the kernel's rounding up. */
  readonly deferAccept: number | undefined;
  readonly v6Only: boolean | undefined;
  /** Connections waiting to be accepted, and the limit in force (net.core.somaxconn caps it). */
  readonly queue: { readonly waiting: number; readonly limit: number } | undefined;
}

export function readBack(fd: number): ReadBack {
  const tcp = getOption(fd, "SO_DOMAIN") !== AF_UNIX;
  const noDelay = tcp ? getOption(fd, "TCP_NODELAY") : undefined;
  const deferred = tcp ? getOption(fd, "TCP_DEFER_ACCEPT") : undefined;
  const v6Only = getOption(fd, "SO_DOMAIN") === AF_INET6 ? getOption(fd, "IPV6_V6ONLY") : undefined;
  return {
    address: boundTo(fd),
    listening: getOption(fd, "SO_ACCEPTCONN") === 1,
    reuseAddress: getOption(fd, "SO_REUSEADDR") === 1,
    reusePort: getOption(fd, "SO_REUSEPORT") === 1,
    noDelay: noDelay === undefined ? undefined : noDelay !== 0,
    fastOpen: tcp ? getOption(fd, "TCP_FASTOPEN") : undefined,
    deferAccept: deferred === undefined ? undefined : deferred * 1000,
    v6Only: v6Only === undefined ? undefined : v6Only === 1,
    queue: tcp ? acceptQueue(fd) : undefined,
  };
}

/** The port `fd` is bound to; 0 for a unix socket. */
export function portOf(fd: number): number {
  const at = boundTo(fd);
  return at?.kind === "inet" || at?.kind === "inet6" ? at.port : 0;
}

/** How the config's address is said to the kernel. Undefined when the host is a name, not an IP. */
export function toSocketAddress(address: Address): SocketAddress | undefined {
  if (address.kind === "unix")
    return address.path.startsWith("@")
      ? { kind: "abstract", name: address.path.slice(1) }
      : { kind: "unix", path: address.path };
  const { host, port } = address;
  if (host === "") return { kind: "inet6", host: "::", port, flow: 0, scope: 0 };
  if (!host.includes(":")) return asBindable({ kind: "inet", host, port });
  const [ip = "", zone] = host.split("%");
  const scope = zone === undefined ? 0 : Number(zone) || libc.if_nametoindex(zone);
  return asBindable({ kind: "inet6", host: ip, port, flow: 0, scope });
}

function asBindable(address: SocketAddress): SocketAddress | undefined {
  return emit(address) === undefined ? undefined : address;
}

/** A socket bound to `where`. `address` is how the operator wrote it, for errors. */
function bound(where: SocketAddress, address: Address, options: ListenOptions): number {
  const bytes = emit(where);
  if (bytes === undefined) throw new SysError("bind", "ENAMETOOLONG", showAddress(address));
  const fd = stream(where, address);
  try {
    if (where.kind === "inet" || where.kind === "inet6") {
      setOption(fd, "SO_REUSEADDR", 1);
      if (options.reusePort) setOption(fd, "SO_REUSEPORT", 1);
      const both = address.kind === "tcp" && address.host === "";
      if (where.kind === "inet6") setOption(fd, "IPV6_V6ONLY", both ? 0 : 1);
    }
    if (libc.bind(fd, pointer(addressOf(bytes)), bytes.length) < 0) {
      const why = errno();
      const stale = why === "EADDRINUSE" && where.kind === "unix" && removeStale(where, bytes);
      if (!stale || libc.bind(fd, pointer(addressOf(bytes)), bytes.length) < 0)
        throw new SysError("bind", why, showAddress(address));
    }
    return fd;
  } catch (failed) {
    close(fd);
    throw failed;
  }
}

function stream(where: SocketAddress, address: Address): number {
  const family = where.kind === "inet" ? AF_INET : where.kind === "inet6" ? AF_INET6 : AF_UNIX;
  const fd = libc.socket(family, SOCK_STREAM | SOCK_FLAGS, 0);
  if (fd < 0) throw new SysError("socket", errno(), showAddress(address));
  return fd;
}

/**
 * Remove a socket file its owner left behind: a socket, and nobody accepts on it. Anything else
 * (a live server, a regular file) is left alone. Two processes starting on one path at the same
 * instant are kept apart by the lock on the state directory, not here.
 */
function removeStale(where: { path: string }, bytes: Uint8Array): boolean {
  let file: Stats;
  try {
    file = lstatSync(where.path);
  } catch {
    return true; // gone in the meantime: bind again
  }
  if (!file.isSocket()) return false;
  const fd = libc.socket(AF_UNIX, SOCK_STREAM | SOCK_FLAGS, 0);
  if (fd < 0) return false;
  try {
    const answered = libc.connect(fd, pointer(addressOf(bytes)), bytes.length) === 0;
    if (answered || errno() !== "ECONNREFUSED") return false;
    unlinkSync(where.path);
    return true;
  } catch {
    return false; // not ours to remove: the first bind's error is the one to tell
  } finally {
    close(fd);
  }
}
