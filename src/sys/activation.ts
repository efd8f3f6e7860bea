import type { Address } from "../core/address.ts";
import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import type { SocketAddress } from "./sockaddr.ts";
import { boundTo, getOption } from "./socket-options.ts";
import { SOCK_STREAM } from "./socket-types.ts";

const libc = openLibc({ fcntl: { args: ["i32", "i32", "i64"], returns: "i32" } });

const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const FD_CLOEXEC = 1;
const O_NONBLOCK = 0o4000; // the same on x86-64 and arm64

/** sd_listen_fds(3): the first descriptor, after stdin, stdout and stderr. */
const FIRST = 3;
/** More than any unit passes; a larger number is a mistake, not a wish. */
const MOST = 1024;

/** A listening socket made by whoever started us. */
export interface ActivatedSocket {
  readonly fd: number;
  /** FileDescriptorName= of the unit; "unknown" when there is none. */
  readonly name: string;
  readonly address: Address;
}

/**
 * The listening sockets of systemd's socket activation, made non-blocking and close-on-exec.
 * Empty when there are none, or when they are meant for another process. Takes the variables out
 * of `env`, so that children do not think the sockets theirs.
 *
 * Throws SysError for a descriptor that is not a listening stream socket: the unit is wrong, and
 * going on would leave its address deaf.
 */
export function inheritedSockets(
  env: Record<string, string | undefined> = process.env,
  pid = process.pid,
): ActivatedSocket[] {
  const { LISTEN_PID: forPid, LISTEN_FDS: fds, LISTEN_FDNAMES: names } = env;
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete env[name];
  if (forPid !== String(pid) || fds === undefined) return [];
  const count = Number(fds);
  if (!Number.isInteger(count) || count < 0 || count > MOST)
    throw new SysError("activation", "EINVAL", `LISTEN_FDS=${fds}`);
  const named = names?.split(":") ?? [];
  return Array.from({ length: count }, (_, i) => inherit(FIRST + i, named[i] ?? "unknown"));
}

function inherit(fd: number, name: string): ActivatedSocket {
  const on = `fd ${fd} (${name})`;
  setFlags(fd, on);
  const listening =
    getOption(fd, "SO_ACCEPTCONN") === 1 && getOption(fd, "SO_TYPE") === SOCK_STREAM;
  const address = listening ? addressOf(fd) : undefined;
  if (address === undefined) throw new SysError("activation", "ESOCKTNOSUPPORT", on);
  return { fd, name, address };
}

/** close-on-exec and non-blocking, for a descriptor that came from outside. */
function setFlags(fd: number, on: string): void {
  const flags = libc.fcntl(fd, F_GETFL, 0);
  if (
    flags < 0 ||
    libc.fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
    libc.fcntl(fd, F_SETFD, FD_CLOEXEC) < 0
  )
    throw new SysError("fcntl", errno(), on);
}

/** A listening socket's address as the config would write it. */
function addressOf(fd: number): Address | undefined {
  const at = boundTo(fd);
  return at && asConfigured(at, getOption(fd, "IPV6_V6ONLY") === 1);
}

/** `[::]` that takes IPv4 as well is what the config calls ":port". */
export function asConfigured(at: SocketAddress, v6Only: boolean): Address | undefined {
  switch (at.kind) {
    case "inet":
      return { kind: "tcp", host: at.host, port: at.port };
    case "inet6": {
      const zone = at.scope === 0 ? "" : `%${at.scope}`;
      const host = at.host === "::" && !v6Only ? "" : `${at.host}${zone}`;
      return { kind: "tcp", host, port: at.port };
    }
    case "unix":
      return { kind: "unix", path: at.path };
    case "abstract":
      return { kind: "unix", path: `@${at.name}` };
    case "unnamed":
      return undefined;
  }
}
