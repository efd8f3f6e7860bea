import { FFIType } from "bun:ffi";

import { emitRights, MAX_FDS, parseRights, spaceFor } from "./control.ts";
import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { address, block, pointer } from "./memory.ts";
import { SOCK_FLAGS } from "./socket-types.ts";
import { close } from "./socket.ts";

const libc = openLibc({
  socketpair: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  sendmsg: { args: ["i32", "ptr", "i32"], returns: FFIType.i64_fast },
  recvmsg: { args: ["i32", "ptr", "i32"], returns: FFIType.i64_fast },
});

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;

const MSG_CTRUNC = 0x8;
const MSG_TRUNC = 0x20;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;

/** Longest payload of one message, in bytes. */
export const MAX_PAYLOAD = 64 * 1024;

// struct msghdr, on 64-bit glibc and musl alike once the narrower fields are zero-extended:
//  0 name*  8 name length  16 iovec*  24 iovec count  32 control*  40 control length  48 flags
const MSGHDR = 56;
const IOVEC = 16; // 0 base*  8 length

/**
 * A connected pair of unix sockets that keeps messages whole (SOCK_SEQPACKET), non-blocking and
 * close-on-exec: hand one end to a child by its stdio.
 */
export function socketPair(): [number, number] {
  const pair = block(8);
  if (libc.socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_FLAGS, 0, pointer(pair.at)) < 0)
    throw new SysError("socketpair", errno(), "AF_UNIX");
  return [pair.view.getInt32(0, true), pair.view.getInt32(4, true)];
}

const outgoing = { header: block(MSGHDR), vector: block(IOVEC) };
outgoing.header.view.setBigUint64(16, BigInt(outgoing.vector.at), true);
outgoing.header.view.setBigUint64(24, 1n, true);

/**
 * Send `payload` (1 byte to MAX_PAYLOAD) with duplicates of `fds` (up to MAX_FDS); ours stay
 * open. "EAGAIN": the other end is slow, nothing was sent; "closed": it is gone. All or nothing
 * on a SOCK_SEQPACKET; on a stream keep payloads small and frame them.
 */
export function sendFds(
  sock: number,
  payload: Uint8Array,
  fds: readonly number[],
): "sent" | "EAGAIN" | "closed" {
  if (payload.length === 0 || payload.length > MAX_PAYLOAD || fds.length > MAX_FDS)
    throw new SysError("sendmsg", "EMSGSIZE", `fd ${sock}`);
  const control = fds.length === 0 ? undefined : emitRights(fds);
  const { header, vector } = outgoing;
  vector.view.setBigUint64(0, BigInt(address(payload)), true);
  vector.view.setBigUint64(8, BigInt(payload.length), true);
  header.view.setBigUint64(32, control ? BigInt(address(control)) : 0n, true);
  header.view.setBigUint64(40, BigInt(control?.length ?? 0), true);
  const sent = Number(libc.sendmsg(sock, pointer(header.at), MSG_NOSIGNAL));
  if (sent === payload.length) return "sent";
  // A stream that took a part: the descriptors went with it, the rest never will.
  if (sent >= 0) throw new SysError("sendmsg", "EMSGSIZE", `fd ${sock}`);
  const why = errno();
  if (why === "EAGAIN") return why;
  if (why === "EPIPE" || why === "ECONNRESET" || why === "ENOTCONN") return "closed";
  throw new SysError("sendmsg", why, `fd ${sock}`);
}

const incoming = {
  header: block(MSGHDR),
  vector: block(IOVEC),
  payload: block(MAX_PAYLOAD),
  control: block(spaceFor(MAX_FDS)),
};
incoming.header.view.setBigUint64(16, BigInt(incoming.vector.at), true);
incoming.header.view.setBigUint64(24, 1n, true);
incoming.header.view.setBigUint64(32, BigInt(incoming.control.at), true);
incoming.vector.view.setBigUint64(0, BigInt(incoming.payload.at), true);
incoming.vector.view.setBigUint64(8, BigInt(MAX_PAYLOAD), true);

/**
 * The next message. Its descriptors are ours now, close-on-exec; close them. "EAGAIN": none yet;
 * "closed": the other end is gone.
 *
 * Throws SysError EMFILE when this process had no room for all the descriptors, EMSGSIZE for a
 * payload over MAX_PAYLOAD; what did come has then been closed again.
 */
export function receiveFds(
  sock: number,
): { payload: Uint8Array<ArrayBuffer>; fds: number[] } | "EAGAIN" | "closed" {
  const { header, payload, control } = incoming;
  header.view.setBigUint64(40, BigInt(control.bytes.length), true);
  const n = Number(libc.recvmsg(sock, pointer(header.at), MSG_CMSG_CLOEXEC));
  if (n < 0) {
    const why = errno();
    if (why === "EAGAIN" || why === "EINTR") return "EAGAIN";
    if (why === "ECONNRESET" || why === "ENOTCONN") return "closed";
    throw new SysError("recvmsg", why, `fd ${sock}`);
  }
  const fds = parseRights(control.bytes.subarray(0, header.view.getUint32(40, true)));
  const flags = header.view.getInt32(48, true);
  if (n > 0 && (flags & (MSG_CTRUNC | MSG_TRUNC)) === 0)
    return { payload: payload.bytes.slice(0, n), fds };

  for (const fd of fds) close(fd);
  if (n === 0) return "closed";
  throw new SysError("recvmsg", flags & MSG_CTRUNC ? "EMFILE" : "EMSGSIZE", `fd ${sock}`);
}
