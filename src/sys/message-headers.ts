import type { Block } from "./memory.ts";

/**
 * sizeof(struct mmsghdr), on 64-bit glibc and musl alike once the narrower fields are zero-extended:
 *
 *      0 name*  8 name length  16 iovec*  24 iovec count  32 control*  40 control length  48 flags
 *     56 length of the message
 */
export const MMSGHDR = 64;
/** sizeof(struct iovec): 0 base*  8 length. */
export const IOVEC = 16;
/** Room for one address: a sockaddr_in6, and to the next multiple of eight. */
export const NAME = 32;
/** sizeof(struct sockaddr_in6), the longest address. */
export const NAME_LENGTH = 28;

/** Write vector `i` of a table: the `length` bytes at the address `at`. */
export function vector(vectors: Block, i: number, at: number, length: number): void {
  vectors.view.setBigUint64(i * IOVEC, BigInt(at), true);
  vectors.view.setBigUint64(i * IOVEC + 8, BigInt(length), true);
}

/**
 * Write header `i` of a table: a name and control data, and one vector, at these addresses. There is
 * room for any name; how long the control data are is left as it is.
 */
export function header(
  headers: Block,
  i: number,
  name: number,
  iovec: number,
  control: number,
): void {
  const { view } = headers;
  view.setBigUint64(i * MMSGHDR, BigInt(name), true);
  view.setUint32(i * MMSGHDR + 8, NAME_LENGTH, true);
  view.setBigUint64(i * MMSGHDR + 16, BigInt(iovec), true);
  view.setBigUint64(i * MMSGHDR + 24, 1n, true);
  view.setBigUint64(i * MMSGHDR + 32, BigInt(control), true);
}
