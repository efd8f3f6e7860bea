import { FFIType } from "bun:ffi";

import type { Route } from "./datagram-route.ts";
import {
  MAX_SEGMENTS,
  MAX_TRAIN,
  putSegment,
  SEGMENT_CMSG,
  TRAIN_CONTROL,
} from "./datagram-trains.ts";
import { errno } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { type Block, block, pointer } from "./memory.ts";
import { IOVEC, MMSGHDR, NAME, vector } from "./message-headers.ts";

const CALLS = {
  recvmmsg: { args: ["i32", "ptr", "u32", "i32", "ptr"], returns: "i32" },
  sendmsg: { args: ["i32", "ptr", "i32"], returns: FFIType.i64_fast },
} as const;

const MSG_NOSIGNAL = 0x4000;

/** Nothing is there; the other end of the socket is gone. Negative, so that `n > 0` is datagrams. */
export const NONE_THERE = 0;
export const PEER_GONE = -2;
/** What an ICMP message about a connected socket is told as. */
const GONE_FOR: ReadonlySet<string> = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH"]);

/**
 * Moves datagrams from one socket to another, many at a time: read by one system call, and those
 * of one length in a row sent by one (UDP_SEGMENT), which the kernel or the device cuts again.
 * Memory is made once; moving allocates nothing.
 */
export class DatagramForward {
  /** Not before somebody needs it: a libc without these calls serves everything else. */
  readonly #libc = openLibc(CALLS);
  readonly #size: number;
  readonly #room: number;
  readonly #headers: Block;
  readonly #vectors: Block;
  readonly #lengths: Int32Array<ArrayBuffer>;
  readonly #vector32: Int32Array<ArrayBuffer>;
  /** The first 56 bytes of it are a struct msghdr. */
  readonly #out = block(MMSGHDR);
  readonly #name = block(NAME);
  readonly #control = block(TRAIN_CONTROL);
  readonly #bytes: Block;
  #pktinfo = 0;
  #segments = true;

  /** `size` datagrams at a time, of `room` bytes at most; longer ones are lost. */
  constructor(size: number, room: number) {
    this.#size = size;
    this.#room = room;
    this.#bytes = block(size * room);
    this.#headers = block(size * MMSGHDR);
    this.#vectors = block(size * IOVEC);
    for (let i = 0; i < size; i++) {
      vector(this.#vectors, i, this.#bytes.at + i * room, room);
      this.#headers.view.setBigUint64(i * MMSGHDR + 16, BigInt(this.#vectors.at + i * IOVEC), true);
      this.#headers.view.setBigUint64(i * MMSGHDR + 24, 1n, true);
    }
    this.#lengths = new Int32Array(this.#headers.buffer);
    this.#vector32 = new Int32Array(this.#vectors.buffer);
    this.#out.view.setBigUint64(0, BigInt(this.#name.at), true);
    this.#out.view.setBigUint64(32, BigInt(this.#control.at), true);
  }

  /**
   * Move what waits on `from`, a connected socket, through `to` along `route`. How many there
   * were (when as many as fit, there may be more), NONE_THERE, or PEER_GONE. What cannot be sent is lost.
   */
  move(from: number, to: number, route: Route): number {
    const n = this.#libc.recvmmsg(from, pointer(this.#headers.at), this.#size, 0, null);
    if (n <= 0) return n < 0 && GONE_FOR.has(errno()) ? PEER_GONE : NONE_THERE;
    this.#take(route);
    for (let i = 0; i < n; i++) this.#vector32[i * 4 + 2] = this.#lengthOf(i);
    for (let i = 0; i < n;) {
      const end = this.#segments ? this.#run(i, n) : i + 1;
      if (!this.#send(to, i, end)) break;
      i = end;
    }
    for (let i = 0; i < n; i++) this.#vector32[i * 4 + 2] = this.#room;
    return n;
  }

  #lengthOf(i: number): number {
    return this.#lengths[(i * MMSGHDR + 56) >> 2] as number; // i was received
  }

  #take({ name, control }: Route): void {
    this.#name.bytes.set(name);
    this.#control.bytes.set(control);
    this.#pktinfo = control.length;
    this.#out.view.setUint32(8, name.length, true);
  }

  /** The end of those from `i` on that can go at once: of one length, but the last may be shorter. */
  #run(i: number, n: number): number {
    const each = this.#lengthOf(i);
    let total = each;
    let end = i + 1;
    while (end < n && end - i < MAX_SEGMENTS && this.#lengthOf(end - 1) === each) {
      const length = this.#lengthOf(end);
      if (length > each || total + length > MAX_TRAIN) break;
      total += length;
      end++;
    }
    return end;
  }

  /** False when there is no room for more. */
  #send(to: number, i: number, end: number): boolean {
    const { view } = this.#out;
    view.setBigUint64(16, BigInt(this.#vectors.at + i * IOVEC), true);
    view.setUint32(24, end - i, true);
    view.setUint32(40, this.#pktinfo + (end - i > 1 ? this.#segment(this.#lengthOf(i)) : 0), true);
    if (Number(this.#libc.sendmsg(to, pointer(this.#out.at), MSG_NOSIGNAL)) >= 0) return true;
    const why = errno();
    if (why === "EAGAIN") return false;
    if (end - i === 1) return true; // to nowhere, forbidden, too long: that one is lost
    // A device or kernel that cannot cut says so every time; too long for the path, for this length.
    if (why === "EIO" || why === "EINVAL") this.#segments = false;
    for (let one = i; one < end; one++) if (!this.#send(to, one, one + 1)) return false;
    return true;
  }

  /** Behind what the route has. Answers its size. */
  #segment(length: number): number {
    putSegment(this.#control.view, this.#pktinfo, length);
    return SEGMENT_CMSG;
  }
}
