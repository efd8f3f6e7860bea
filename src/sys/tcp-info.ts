import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { block, pointer } from "./memory.ts";

const libc = openLibc({
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
});

const SOL_SOCKET = 1;
const SO_COOKIE = 57;
const IPPROTO_TCP = 6;
const TCP_INFO = 11;

// struct tcp_info (linux/tcp.h), from Linux 4.1 on.
const BYTES_ACKED = 120; // u64
const SIZE = 128;
const SIOCOUTQ = 0x5411;
const info = block(SIZE);
const length = block(4);
const waiting = block(4);

/**
 * Bytes that were ever put into the send queue of a TCP socket, and a constant of its own (the SYN
 * counts as acknowledged).
 */
export function queuedBytes(fd: number): number {
  for (let before = ackedBytes(fd); ;) {
    if (libc.ioctl(fd, SIOCOUTQ, pointer(waiting.at)) < 0)
      throw new SysError("ioctl", errno(), `SIOCOUTQ fd ${fd}`);
    const acked = ackedBytes(fd);
    if (acked === before) return acked + waiting.view.getUint32(0, true);
    before = acked; // some were acknowledged between the questions
  }
}

function ackedBytes(fd: number): number {
  length.view.setUint32(0, SIZE, true);
  if (libc.getsockopt(fd, IPPROTO_TCP, TCP_INFO, pointer(info.at), pointer(length.at)) < 0)
    throw new SysError("getsockopt", errno(), `TCP_INFO fd ${fd}`);
  return Number(info.view.getBigUint64(BYTES_ACKED, true));
}

const cookie = block(8);

/** A number no other socket of this machine has until it restarts, in host order. */
export function socketCookie(fd: number): Uint8Array {
  length.view.setUint32(0, 8, true);
  if (libc.getsockopt(fd, SOL_SOCKET, SO_COOKIE, pointer(cookie.at), pointer(length.at)) < 0)
    throw new SysError("getsockopt", errno(), `SO_COOKIE fd ${fd}`);
  return cookie.bytes;
}
