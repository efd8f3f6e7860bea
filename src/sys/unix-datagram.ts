import { FFIType } from "bun:ffi";
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
  sendto: { args: ["i32", "ptr", "usize", "i32", "ptr", "u32"], returns: FFIType.i64_fast },
});

const MSG_NOSIGNAL = 0x4000;

/** A unix datagram socket; with an abstract name others of this machine can write to it. Throws SysError. */
export function unixDatagram(name?: string): number {
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_FLAGS, 0);
  if (fd < 0) throw new SysError("socket", errno(), "AF_UNIX");
  if (name === undefined) return fd;
  const at = emit({ kind: "abstract", name });
  if (at === undefined || libc.bind(fd, pointer(address(at)), at.length) < 0) {
    const why = at === undefined ? "EINVAL" : errno();
    close(fd);
    throw new SysError("bind", why, `@${name}`);
  }
  return fd;
}

/** Write to the socket of an abstract name. False when it is not there, or its queue is full. */
export function sendToName(fd: number, name: string, bytes: Uint8Array): boolean {
  const to = emit({ kind: "abstract", name });
  if (to === undefined) return false;
  const n = libc.sendto(
    fd,
    pointer(address(bytes)),
    bytes.length,
    MSG_NOSIGNAL,
    pointer(address(to)),
    to.length,
  );
  return Number(n) === bytes.length;
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
