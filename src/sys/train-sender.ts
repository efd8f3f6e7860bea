import type { Route } from "./datagram-route.ts";
import {
  MAX_SEGMENTS,
  MAX_TRAIN,
  putSegment,
  SEGMENT_CMSG,
  TRAIN_CONTROL,
} from "./datagram-trains.ts";
import { errnoNumber } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { type Block, block, pointer } from "./memory.ts";
import { header, IOVEC, MMSGHDR, NAME, vector } from "./message-headers.ts";

const CALLS = {
  sendmmsg: { args: ["i32", "ptr", "u32", "i32"], returns: "i32" },
} as const;

const EAGAIN = 11;
const EINTR = 4;
const EMSGSIZE = 90;
const ECONNREFUSED = 111;

/**
 * Trains out, many with one system call: each is a run of datagrams of one length (the last may be
 * shorter) for one peer, cut by the kernel or the device (UDP_SEGMENT). Write at most
 * `longestTrain(segment)` datagrams at `offset` in `bytes` unless `full`, then `push`; then `send`.
 *
 * Where the kernel or the device cannot cut, datagrams go one by one: nobody needs to know.
 */
export class TrainSender {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where `bytes` are, for other system calls. */
  readonly at: number;
  /** Trains that went, and trains that were lost because nobody would take them: since it was made. */
  sent = 0;
  lost = 0;
  /** Datagrams that were longer than the device, or the path as it is known, takes: PMTU discovery. */
  tooLong = 0;
  readonly #libc = openLibc(CALLS);
  readonly #size: number;
  readonly #memory: Block;
  readonly #names: Block;
  readonly #controls: Block;
  readonly #headers: Block;
  readonly #header32: Int32Array<ArrayBuffer>;
  readonly #vectors: Block;
  readonly #vector32: Uint32Array<ArrayBuffer>;
  /** Bytes of each datagram, and bytes of control data without UDP_SEGMENT, by train. */
  readonly #segments: Int32Array;
  readonly #routes: (Route | undefined)[];
  /** Headers for the datagrams of one train, when they have to go one by one. */
  #single: Block | undefined;
  #singleVectors: Block | undefined;
  #cuts = true;
  #first = 0;
  #count = 0;
  #used = 0;

  /** So many trains at most, of `bytes` together: at least MAX_TRAIN. */
  constructor(size: number, bytes: number) {
    this.#size = size;
    this.#memory = block(bytes);
    this.#names = block(size * NAME);
    this.#controls = block(size * TRAIN_CONTROL);
    this.#headers = block(size * MMSGHDR);
    this.#vectors = block(size * IOVEC);
    for (let i = 0; i < size; i++) {
      vector(this.#vectors, i, this.#memory.at, 0);
      const [name, control] = [this.#names.at + i * NAME, this.#controls.at + i * TRAIN_CONTROL];
      header(this.#headers, i, name, this.#vectors.at + i * IOVEC, control);
    }
    this.bytes = this.#memory.bytes;
    this.at = this.#memory.at;
    this.#header32 = new Int32Array(this.#headers.buffer);
    this.#vector32 = new Uint32Array(this.#vectors.buffer);
    this.#segments = new Int32Array(size);
    this.#routes = Array.from({ length: size });
  }

  /** Trains that have not gone. */
  get pending(): number {
    return this.#count - this.#first;
  }
  /** How many trains may still be pushed. */
  get free(): number {
    return this.#size - this.#count;
  }
  /** Is there no room for another train of any length? */
  get full(): boolean {
    return this.#count === this.#size || this.bytes.length - this.#used < MAX_TRAIN;
  }
  /** Where the next train is to be written, in `bytes`. */
  get offset(): number {
    return this.#used;
  }

  /** The `length` bytes at `offset` are datagrams of `segment` bytes each, for `route`. */
  push(route: Route, length: number, segment: number): void {
    const i = this.#count++;
    const at = (i * MMSGHDR) >> 2;
    const { name, control } = route;
    if (this.#routes[i] !== route) {
      this.#routes[i] = route;
      this.#names.bytes.set(name, i * NAME);
      this.#controls.bytes.set(control, i * TRAIN_CONTROL);
    }
    this.#header32[at + 2] = name.length;
    this.#segments[i] = segment;
    const joined = length > segment && this.#cuts;
    this.#header32[at + 10] = control.length + (joined ? SEGMENT_CMSG : 0);
    if (joined) putSegment(this.#controls.view, i * TRAIN_CONTROL + control.length, segment);
    this.#place(i, this.#memory.at + this.#used, length);
    this.#used += length;
  }

  /**
   * Send what was pushed. False when the socket has no room: the rest is kept, goes with the next
   * `send`, and may be forgotten by `drop`. Anything else that goes wrong costs that train only.
   */
  send(fd: number): boolean {
    let again = 0;
    while (this.#first < this.#count) {
      const i = this.#first;
      if (!this.#cuts && (this.#vector32[i * 4 + 2] as number) > (this.#segments[i] as number)) {
        if (!this.#sendSingly(fd, i)) return false;
        this.#first++;
        continue;
      }
      const most = this.#cuts ? this.#count - i : 1;
      const n = this.#libc.sendmmsg(fd, pointer(this.#headers.at + i * MMSGHDR), most, 0);
      if (n > 0) {
        this.#first += n;
        this.sent += n;
        continue;
      }
      const why = errnoNumber();
      if (why === EAGAIN) return false;
      // What an ICMP message left behind is told instead of sending: once.
      if ((why === EINTR || why === ECONNREFUSED) && again++ < this.#size) continue;
      if ((this.#vector32[i * 4 + 2] as number) > (this.#segments[i] as number)) {
        const { tooLong } = this;
        if (!this.#sendSingly(fd, i)) return false;
        // No cutting: EIO by the device, EINVAL by the kernel; which older kernels also say when
        // the datagrams are too long for the device.
        if (why !== EMSGSIZE && this.tooLong === tooLong) this.#cuts = false;
      } else {
        if (why === EMSGSIZE) this.tooLong++;
        this.lost++;
      }
      this.#first++;
    }
    this.drop();
    return true;
  }

  /** Forget what has not gone. */
  drop(): void {
    this.#first = 0;
    this.#count = 0;
    this.#used = 0;
  }

  #place(i: number, at: number, length: number): void {
    const vectors = this.#vector32;
    vectors[i * 4] = at >>> 0;
    vectors[i * 4 + 1] = Math.floor(at / 2 ** 32);
    vectors[i * 4 + 2] = length;
  }

  /** The datagrams of train `i`, each by itself. False when there is no room for more of them. */
  #sendSingly(fd: number, i: number): boolean {
    const single = (this.#single ??= block(MAX_SEGMENTS * MMSGHDR));
    const vectors = (this.#singleVectors ??= block(MAX_SEGMENTS * IOVEC));
    const segment = this.#segments[i] as number;
    const route = this.#routes[i] as Route;
    let [from, left] = [this.#at(i), this.#vector32[i * 4 + 2] as number];
    let count = 0;
    for (let at = 0; at < left; at += segment) {
      vector(vectors, count, from + at, Math.min(segment, left - at));
      const [name, control] = [this.#names.at + i * NAME, this.#controls.at + i * TRAIN_CONTROL];
      header(single, count, name, vectors.at + count * IOVEC, control);
      single.view.setUint32(count * MMSGHDR + 8, route.name.length, true);
      single.view.setUint32(count * MMSGHDR + 40, route.control.length, true);
      count++;
    }
    for (let k = 0; k < count;) {
      const n = this.#libc.sendmmsg(fd, pointer(single.at + k * MMSGHDR), count - k, 0);
      if (n > 0) {
        k += n;
        continue;
      }
      const why = errnoNumber();
      if (why === EAGAIN) {
        from += k * segment;
        left -= k * segment;
        this.#place(i, from, left);
        return false;
      }
      if (why === EMSGSIZE) this.tooLong++;
      k++;
    }
    this.sent++;
    return true;
  }

  /** The address of train `i`. */
  #at(i: number): number {
    const vectors = this.#vector32;
    return (vectors[i * 4] as number) + (vectors[i * 4 + 1] as number) * 2 ** 32;
  }
}
