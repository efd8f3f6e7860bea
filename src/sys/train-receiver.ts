import { fromThere, type Route } from "./datagram-route.ts";
import { SOL_UDP, TRAIN_CONTROL } from "./datagram-trains.ts";
import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { type Block, block, pointer } from "./memory.ts";
import { header, IOVEC, MMSGHDR, NAME, NAME_LENGTH, vector } from "./message-headers.ts";

const CALLS = {
  recvmmsg: { args: ["i32", "ptr", "u32", "i32", "ptr"], returns: "i32" },
} as const;

const UDP_GRO = 104;
/** The cmsg(3) in front of the control data of a train that was joined, and where in it its datagrams' size is. */
const GRO_CMSG = 24;
const GRO_SIZE = 16;

/** Room for any train that comes in. */
const TRAIN_ROOM = 65_536;

/**
 * Datagrams in, trains of them (UDP_GRO) with one system call. A train is `lengthOf(i)` bytes in
 * `bytes` from `i * room` on: datagrams of `segmentOf(i)` bytes one behind the other, the last may
 * be shorter. All of it is overwritten by the next `receive`; nothing is allocated.
 *
 *     for (let n = trains.receive(fd), i = 0; i < n; i++) {
 *       const end = i * trains.room + trains.lengthOf(i), step = trains.segmentOf(i);
 *       for (let at = i * trains.room; at < end; at += step)
 *         take(trains.bytes, at, Math.min(at + step, end));
 *     }
 */
export class TrainReceiver {
  /** How many trains one call may take: a full answer means that there may be more. */
  readonly size: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where `bytes` are, for other system calls. */
  readonly at: number;
  readonly room = TRAIN_ROOM;
  readonly #libc = openLibc(CALLS);
  readonly #memory: Block;
  readonly #names: Uint8Array<ArrayBuffer>;
  readonly #controls: Block;
  readonly #control32: Int32Array<ArrayBuffer>;
  readonly #headers: Block;
  readonly #header32: Int32Array<ArrayBuffer>;
  readonly #vectors: Block;
  #used: number;

  constructor(size: number) {
    this.size = size;
    this.#memory = block(size * TRAIN_ROOM);
    this.#controls = block(size * TRAIN_CONTROL);
    this.#headers = block(size * MMSGHDR);
    this.#vectors = block(size * IOVEC);
    const names = block(size * NAME);
    for (let i = 0; i < size; i++) {
      vector(this.#vectors, i, this.#memory.at + i * TRAIN_ROOM, TRAIN_ROOM);
      const [name, control] = [names.at + i * NAME, this.#controls.at + i * TRAIN_CONTROL];
      header(this.#headers, i, name, this.#vectors.at + i * IOVEC, control);
    }
    this.bytes = this.#memory.bytes;
    this.at = this.#memory.at;
    this.#names = names.bytes;
    this.#control32 = new Int32Array(this.#controls.buffer);
    this.#header32 = new Int32Array(this.#headers.buffer);
    this.#used = size; // all of them are to be made ready first
  }

  /** How many trains came; 0 when there is nothing (more) to read. Throws SysError for no socket. */
  receive(fd: number): number {
    const headers = this.#header32;
    // What the kernel wrote into the headers last time, it would take as our wish this time.
    for (let i = 0; i < this.#used; i++) {
      const at = (i * MMSGHDR) >> 2;
      headers[at + 2] = NAME_LENGTH;
      headers[at + 10] = TRAIN_CONTROL;
    }
    const n = this.#libc.recvmmsg(fd, pointer(this.#headers.at), this.size, 0, null);
    if (n >= 0) return (this.#used = n);
    this.#used = 0;
    const why = errno();
    if (why === "EBADF" || why === "ENOTSOCK" || why === "EFAULT" || why === "EINVAL")
      throw new SysError("recvmmsg", why, `fd ${fd}`);
    return 0; // nothing, or what an ICMP message left behind: the next try will read
  }

  /** Bytes of train `i`. */
  lengthOf(i: number): number {
    return this.#header32[(i * MMSGHDR + 56) >> 2] as number; // i is a train
  }

  /** Bytes of each datagram of train `i` but the last; never 0. */
  segmentOf(i: number): number {
    if (this.#joined(i)) return this.#control32[(i * TRAIN_CONTROL + GRO_SIZE) >> 2] as number;
    return Math.max(1, this.lengthOf(i));
  }

  /** Did train `i` come from where `route` leads? */
  cameFrom(i: number, { name }: Route): boolean {
    const at = i * NAME;
    const names = this.#names;
    if (name.length !== this.#header32[(i * MMSGHDR + 8) >> 2]) return false;
    // The family is the socket's. Flow labels, behind the port of IPv6, may change.
    for (let j = 2; j < 4; j++) if (names[at + j] !== name[j]) return false;
    const from = name.length === NAME_LENGTH ? 8 : 4;
    const end = name.length === NAME_LENGTH ? NAME_LENGTH : 8;
    for (let j = from; j < end; j++) if (names[at + j] !== name[j]) return false;
    return true;
  }

  /** The way back to the sender of train `i`, from the address that it wrote to. A copy. */
  routeOf(i: number): Route {
    const at = (i * MMSGHDR) >> 2;
    const nameLength = this.#header32[at + 2] as number; // i is a train
    const controlLength = this.#header32[at + 10] as number;
    const from = i * TRAIN_CONTROL + (this.#joined(i) ? GRO_CMSG : 0);
    const control = this.#controls.bytes.slice(from, i * TRAIN_CONTROL + controlLength);
    if (control.length > 0)
      fromThere(control, new Int32Array(control.buffer, 0, control.length >> 2), 0);
    return { name: this.#names.slice(i * NAME, i * NAME + nameLength), control };
  }

  /** Is there a UDP_GRO in front of the control data? */
  #joined(i: number): boolean {
    const at = (i * TRAIN_CONTROL) >> 2;
    return (
      (this.#header32[(i * MMSGHDR + 40) >> 2] as number) >= GRO_CMSG &&
      this.#control32[at + 2] === SOL_UDP &&
      this.#control32[at + 3] === UDP_GRO
    );
  }
}
