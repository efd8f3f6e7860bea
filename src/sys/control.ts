/**
 * Descriptors as control data of a unix socket's message (cmsg(3), unix(7) SCM_RIGHTS):
 *
 *     0        8       12      16
 *     | length | level | type  | int fd[] …        padded to 8
 *
 * `length` counts header and data. glibc makes it a size_t, musl a socklen_t and four bytes of
 * padding; zero-extended, both are this u64.
 */
const HEADER = 16;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

/** The kernel takes no more descriptors in one message (SCM_MAX_FD). */
export const MAX_FDS = 253;

/** Bytes that `count` descriptors take, padding included (CMSG_SPACE). */
export function spaceFor(count: number): number {
  return align(HEADER + 4 * count);
}

/** Control data that passes `fds`. */
export function emitRights(fds: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(new ArrayBuffer(spaceFor(fds.length)));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, HEADER + 4 * fds.length, true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  for (const [i, fd] of fds.entries()) view.setInt32(HEADER + 4 * i, fd, true);
  return bytes;
}

/**
 * Every descriptor in the control data, other kinds of it skipped. Reads what is whole and stops
 * at the first header that is not: what a truncated message still carries is ours to close.
 */
export function parseRights(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fds: number[] = [];
  for (let at = 0; at + HEADER <= bytes.length;) {
    const length = view.getUint32(at, true);
    if (length < HEADER || view.getUint32(at + 4, true) !== 0) break;
    const end = Math.min(at + length, bytes.length);
    if (view.getInt32(at + 8, true) === SOL_SOCKET && view.getInt32(at + 12, true) === SCM_RIGHTS)
      for (let i = at + HEADER; i + 4 <= end; i += 4) fds.push(view.getInt32(i, true));
    at += align(length);
  }
  return fds;
}

function align(length: number): number {
  return Math.ceil(length / 8) * 8; // no bit operators: a stranger's length may pass 2^31
}
