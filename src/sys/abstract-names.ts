import { readFileSync } from "node:fs";

import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { address, pointer } from "./memory.ts";
import { AF_UNIX, emit } from "./sockaddr.ts";
import { SOCK_DGRAM, SOCK_FLAGS } from "./socket-types.ts";
import { close } from "./socket.ts";

const libc = openLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
});

/**
 * Hold an abstract unix name: others of this machine see it for as long as the descriptor is open,
 * whatever ends the process. Throws SysError: `bind @name: EADDRINUSE`.
 */
export function holdName(name: string): number {
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_FLAGS, 0);
  if (fd < 0) throw new SysError("socket", errno(), "AF_UNIX");
  const at = emit({ kind: "abstract", name });
  if (at === undefined || libc.bind(fd, pointer(address(at)), at.length) < 0) {
    const why = at === undefined ? "EINVAL" : errno();
    close(fd);
    throw new SysError("bind", why, `@${name}`);
  }
  return fd;
}

/** The abstract names in use that begin with `prefix`, of this network namespace. Empty without /proc. */
export function abstractNames(prefix: string): string[] {
  let table: string;
  try {
    table = readFileSync("/proc/net/unix", "latin1");
  } catch {
    return [];
  }
  // Num: RefCount Protocol Flags Type St Inode @name
  return table.split("\n").flatMap((line) => {
    const at = line.indexOf(` @${prefix}`);
    return at < 0 ? [] : [line.slice(at + 2)];
  });
}
