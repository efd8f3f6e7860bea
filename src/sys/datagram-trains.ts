import { IP6_INTERFACE, IP_INTERFACE, type Route } from "./datagram.ts";
import { errno, errnoNumber, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { type Block, block, pointer } from "./memory.ts";
import { emit, parse, type SocketAddress } from "./sockaddr.ts";
import { setOption } from "./socket-options.ts";

const CALLS = {
  recvmmsg: { args: ["i32", "ptr", "u32", "i32", "ptr"], returns: "i32" },
  sendmmsg: { args: ["i32", "ptr", "u32", "i32"], returns: "i32" },
} as const;

const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const UDP_GRO = 104;
const IPPROTO_IP = 0;
const EAGAIN = 11;
const EINTR = 4;
const EMSGSIZE = 90;
const ECONNREFUSED = 111;

// struct mmsghdr and iovec, as in datagram.ts.
const MMSGHDR = 64;
const IOVEC = 16;
/** Room for a sockaddr_in6. */
const NAME = 32;
const NAME_LENGTH = 28;
/** Room for an in6_pktinfo, and one cmsg(3) of an int: UDP_GRO in front, UDP_SEGMENT (a u16) behind. */
const CONTROL = 64;
const GRO_CMSG = 24;
const SEGMENT_CMSG = 24;
const SEGMENT_LENGTH = 18;
const PKTINFO = 16;

/** Most datagrams in one train (UDP_MAX_SEGMENTS of kernels before 6.9). */
export const MAX_SEGMENTS = 64;
/** Most bytes of one train: it travels as if it were one datagram, 65 535 less the headers. */
export const MAX_TRAIN = 65_000;
/** Room for any train that comes in. */
export const TRAIN_ROOM = 65_536;

/** How many datagrams of `segment` bytes one train may have. */
export function longestTrain(segment: number): number {
  return Math.max(1, Math.min(MAX_SEGMENTS, Math.floor(MAX_TRAIN / segment)));
}

/**
 * From now on datagrams of one sender and length that arrive together may be handed over as one
 * train (UDP_GRO). False: this kernel cannot (before 5.0), and every train will be of one datagram.
 */
export function joinsTrains(fd: number): boolean {
  try {
    setOption(fd, "UDP_GRO", 1);
    return true;
  } catch (failed) {
    if (failed instanceof SysError && failed.code === "ENOPROTOOPT") return false;
    throw failed;
  }
}

/**
 * The way to an IP address; `mapped` when the socket takes IPv6 and IPv4 (host ""), since such a
 * one wants IPv4 addresses in IPv6 clothes. Undefined when `host` is no IP address.
 */
export function routeTo(host: string, port: number, mapped: boolean): Route | undefined {
  const [ip = "", scope = "0"] = host.split("%");
  const six = ip.includes(":");
  const name = emit(
    six || mapped
      ? { kind: "inet6", host: six ? ip : `::ffff:${ip}`, port, flow: 0, scope: Number(scope) }
      : { kind: "inet", host, port },
  );
  return name && { name, control: NO_CONTROL };
}

/** Whom a route leads to: an IPv4 address in IPv6 clothes as it is. */
export function endOf({ name }: Route): SocketAddress | undefined {
  return parse(name);
}

/** The way of a connected socket: it knows its peer. */
export const CONNECTED: Route = { name: new Uint8Array(), control: new Uint8Array() };

const NO_CONTROL = new Uint8Array();

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
    this.#controls = block(size * CONTROL);
    this.#headers = block(size * MMSGHDR);
    this.#vectors = block(size * IOVEC);
    const names = block(size * NAME);
    for (let i = 0; i < size; i++) {
      vector(this.#vectors, i, this.#memory.at + i * TRAIN_ROOM, TRAIN_ROOM);
      const [name, control] = [names.at + i * NAME, this.#controls.at + i * CONTROL];
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
      headers[at + 10] = CONTROL;
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
    if (this.#joined(i)) return this.#control32[(i * CONTROL + PKTINFO) >> 2] as number;
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
    const from = i * CONTROL + (this.#joined(i) ? GRO_CMSG : 0);
    return {
      name: this.#names.slice(i * NAME, i * NAME + nameLength),
      control: fromThere(this.#controls.bytes.slice(from, i * CONTROL + controlLength)),
    };
  }

  /** Is there a UDP_GRO in front of the control data? */
  #joined(i: number): boolean {
    const at = (i * CONTROL) >> 2;
    return (
      (this.#header32[(i * MMSGHDR + 40) >> 2] as number) >= GRO_CMSG &&
      this.#control32[at + 2] === SOL_UDP &&
      this.#control32[at + 3] === UDP_GRO
    );
  }
}

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
    this.#controls = block(size * CONTROL);
    this.#headers = block(size * MMSGHDR);
    this.#vectors = block(size * IOVEC);
    for (let i = 0; i < size; i++) {
      vector(this.#vectors, i, this.#memory.at, 0);
      const [name, control] = [this.#names.at + i * NAME, this.#controls.at + i * CONTROL];
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
      this.#controls.bytes.set(control, i * CONTROL);
    }
    this.#header32[at + 2] = name.length;
    this.#segments[i] = segment;
    const joined = length > segment && this.#cuts;
    this.#header32[at + 10] = control.length + (joined ? SEGMENT_CMSG : 0);
    if (joined) {
      const { view } = this.#controls;
      const cmsg = i * CONTROL + control.length;
      view.setInt32(cmsg, SEGMENT_LENGTH, true);
      view.setInt32(cmsg + 4, 0, true);
      view.setInt32(cmsg + 8, SOL_UDP, true);
      view.setInt32(cmsg + 12, UDP_SEGMENT, true);
      view.setUint16(cmsg + 16, segment, true);
    }
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
      const [name, control] = [this.#names.at + i * NAME, this.#controls.at + i * CONTROL];
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

/**
 * What said where a datagram came to, sent back, says where the answer comes from. But by which
 * interface, the routes decide; only a link-local address needs its link.
 */
function fromThere(control: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (control.length < PKTINFO) return control;
  const view = new DataView(control.buffer);
  const linkLocal = control[PKTINFO] === 0xfe && ((control[PKTINFO + 1] ?? 0) & 0xc0) === 0x80;
  if (view.getInt32(8, true) === IPPROTO_IP) view.setInt32(IP_INTERFACE, 0, true);
  else if (!linkLocal) view.setInt32(IP6_INTERFACE, 0, true);
  return control;
}

function vector(vectors: Block, i: number, at: number, length: number): void {
  vectors.view.setBigUint64(i * IOVEC, BigInt(at), true);
  vectors.view.setBigUint64(i * IOVEC + 8, BigInt(length), true);
}

function header(headers: Block, i: number, name: number, iovec: number, control: number): void {
  const { view } = headers;
  view.setBigUint64(i * MMSGHDR, BigInt(name), true);
  view.setUint32(i * MMSGHDR + 8, NAME_LENGTH, true);
  view.setBigUint64(i * MMSGHDR + 16, BigInt(iovec), true);
  view.setBigUint64(i * MMSGHDR + 24, 1n, true);
  view.setBigUint64(i * MMSGHDR + 32, BigInt(control), true);
}
