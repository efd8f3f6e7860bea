import { type Errno, errno, errnoName, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { address, pointer } from "./memory.ts";
import { AF_INET, AF_INET6, emit } from "./sockaddr.ts";
import { getOption } from "./socket-options.ts";
import { SOCK_FLAGS, SOCK_STREAM } from "./socket-types.ts";
import { close } from "./socket.ts";

const libc = openLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
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
