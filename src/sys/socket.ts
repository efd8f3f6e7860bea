import { FFIType } from "bun:ffi";

import { errno, errnoNumber, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { block, pointer } from "./memory.ts";
import { SOCK_FLAGS } from "./socket-types.ts";

const libc = openLibc({
  accept4: { args: ["i32", "ptr", "ptr", "i32"], returns: "i32" },
  recv: { args: ["i32", "ptr", "usize", "i32"], returns: FFIType.i64_fast },
  send: { args: ["i32", "ptr", "usize", "i32"], returns: FFIType.i64_fast },
  sendfile: { args: ["i32", "i32", "ptr", "usize"], returns: FFIType.i64_fast },
  shutdown: { args: ["i32", "i32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
});

const MSG_NOSIGNAL = 0x4000;
const MSG_MORE = 0x8000;
const MSG_PEEK = 0x2;
const EAGAIN = 11;
const EINTR = 4;

/** What the hot calls answer instead of a count. Negative, so that `n > 0` is bytes. */
export const AGAIN = -1;
/** The connection is broken or closed for writing: give it up. */
export const GONE = -2;
/** accept4 only: out of files (EMFILE, ENFILE) or memory; wait before the next. */
export const EXHAUSTED = -3;

/** Whom accept4 found is not asked here: see peer.ts. */
const NOBODY = pointer(0);

/** The next connection, non-blocking and close-on-exec; or AGAIN, GONE (it left already), EXHAUSTED. */
export function accept(listener: number): number {
  const fd = libc.accept4(listener, NOBODY, NOBODY, SOCK_FLAGS);
  if (fd >= 0) return fd;
  const why = errno();
  if (why === "EAGAIN") return AGAIN;
  if (why === "EMFILE" || why === "ENFILE" || why === "ENOBUFS" || why === "ENOMEM")
    return EXHAUSTED;
  if (why === "EBADF" || why === "EINVAL" || why === "ENOTSOCK" || why === "EFAULT")
    throw new SysError("accept4", why, `fd ${listener}`);
  return GONE; // man accept: errors already pending on the new socket
}

/** Bytes read; 0 at the end of the stream; AGAIN; GONE. */
export function receive(fd: number, at: number, length: number): number {
  const n = Number(libc.recv(fd, pointer(at), length, 0));
  return n >= 0 ? n : fault();
}

/** As `receive`, leaving the bytes in the socket. */
export function peek(fd: number, at: number, length: number): number {
  const n = Number(libc.recv(fd, pointer(at), length, MSG_PEEK));
  return n >= 0 ? n : fault();
}

/** Bytes taken, maybe fewer than `length`; AGAIN; GONE. `more`: hold a partial segment back (MSG_MORE). */
export function send(fd: number, at: number, length: number, more: boolean): number {
  const n = Number(
    libc.send(fd, pointer(at), length, more ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL),
  );
  return n >= 0 ? n : fault();
}

const offset = block(8);
const OFFSET = pointer(offset.at);

/** sendfile(2): bytes taken from `file` at `from`; 0 when the file is shorter; AGAIN; GONE. */
export function sendfile(fd: number, file: number, from: number, length: number): number {
  offset.view.setUint32(0, from >>> 0, true);
  offset.view.setUint32(4, Math.floor(from / 2 ** 32), true);
  const n = Number(libc.sendfile(fd, file, OFFSET, length));
  return n >= 0 ? n : fault();
}

/** No more bytes will be sent (SHUT_WR). The peer may be gone already: no error. */
export function finish(fd: number): void {
  libc.shutdown(fd, 1);
}

export function close(fd: number): void {
  libc.close(fd);
}

const linger = block(8);
linger.view.setInt32(0, 1, true);
const SOL_SOCKET = 1;
const SO_LINGER = 13;

/** Whoever closes it sends a RST: what is unsent is dropped, the peer learns at once. */
export function resetOnClose(fd: number): void {
  libc.setsockopt(fd, SOL_SOCKET, SO_LINGER, pointer(linger.at), 8);
}

/** Close with a RST. */
export function abort(fd: number): void {
  resetOnClose(fd);
  libc.close(fd);
}

const one = block(4);
one.view.setInt32(0, 1, true);

/** TCP_NODELAY. Not inherited from the listener on every kernel; an error means it is no TCP socket. */
export function noDelay(fd: number): void {
  libc.setsockopt(fd, 6, 1, pointer(one.at), 4);
}

function fault(): number {
  const why = errnoNumber();
  return why === EAGAIN || why === EINTR ? AGAIN : GONE;
}
