import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { block, pointer } from "./memory.ts";

const libc = openLibc({
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
});

const SOL_SOCKET = 1;
const SO_COOKIE = 57;
const IPPROTO_TCP = 6;
const TCP_INFO = 11;

// struct tcp_info (linux/tcp.h), from Linux 4.19 on.
const NOTSENT_BYTES = 144; // u32
const BYTES_SENT = 200; // u64, payload, whatever was sent again counted again
const BYTES_RETRANS = 208; // u64
const SIZE = 216;
const info = block(SIZE);
const length = block(4);

/** Bytes that were ever put into the send queue of a TCP socket. */
export function queuedBytes(fd: number): number {
  length.view.setUint32(0, SIZE, true);
  if (libc.getsockopt(fd, IPPROTO_TCP, TCP_INFO, pointer(info.at), pointer(length.at)) < 0)
    throw new SysError("getsockopt", errno(), `TCP_INFO fd ${fd}`);
  const { view } = info;
  const sent = view.getBigUint64(BYTES_SENT, true) - view.getBigUint64(BYTES_RETRANS, true);
  return Number(sent) + view.getUint32(NOTSENT_BYTES, true);
}

const cookie = block(8);

/** A number no other socket of this machine has until it restarts, in host order. */
export function socketCookie(fd: number): Uint8Array {
  length.view.setUint32(0, 8, true);
  if (libc.getsockopt(fd, SOL_SOCKET, SO_COOKIE, pointer(cookie.at), pointer(length.at)) < 0)
    throw new SysError("getsockopt", errno(), `SO_COOKIE fd ${fd}`);
  return cookie.bytes;
}
