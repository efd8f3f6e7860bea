import { CONTROL, fromThere, type Route } from "./datagram-route.ts";
import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { block, pointer } from "./memory.ts";
import { header, IOVEC, MMSGHDR, NAME, NAME_LENGTH, vector } from "./message-headers.ts";
import { sendAll } from "./send-all.ts";
import { AF_INET6 } from "./sockaddr.ts";

const CALLS = {
  recvmmsg: { args: ["i32", "ptr", "u32", "i32", "ptr"], returns: "i32" },
  sendmmsg: { args: ["i32", "ptr", "u32", "i32"], returns: "i32" },
} as const;
const libc = opened();

const MSG_TRUNC = 0x20;

/** Undefined: this libc does not have them. */
function opened() {
  try {
    return openLibc(CALLS);
  } catch {
    return undefined;
  }
}

/** Can datagrams be moved in batches here? libc may lack the calls, a sandbox may forbid them. */
export function movesBatches(): boolean {
  return libc !== undefined && libc.recvmmsg(-1, null, 0, 0, null) < 0 && errno() === "EBADF";
}

/**
 * Datagrams in and their answers out, many with one system call each way. The memory of all of
 * them is here, made once: receiving and answering allocates nothing.
 *
 * Each received datagram has a slot, 0 and up; each answer is written at `answerAt` and then
 * kept with `answer`; `send` sends those kept.
 */
export class DatagramBatch {
  /** How many one system call may move. */
  readonly size: number;
  /** Received bytes: slot `i` begins at `i * room`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly room: number;
  /** Answers: the next one begins at `answerAt`. */
  readonly answers: Uint8Array<ArrayBuffer>;
  readonly answerRoom: number;
  /** Address of each slot's client: four bytes or sixteen, views that stay the same. */
  readonly #clients4: readonly Uint8Array[];
  readonly #clients6: readonly Uint8Array[];
  readonly #mapped: readonly Uint8Array[];
  readonly #names: Uint8Array<ArrayBuffer>;
  readonly #controls: Uint8Array<ArrayBuffer>;
  readonly #controls32: Int32Array<ArrayBuffer>;
  /** Both header tables as 32-bit words: index (i * MMSGHDR + offset) / 4. */
  readonly #received: Int32Array<ArrayBuffer>;
  readonly #sent: Int32Array<ArrayBuffer>;
  readonly #vectors: Int32Array<ArrayBuffer>;
  readonly #libc: NonNullable<typeof libc>;
  readonly #receivedAt: number;
  readonly #sentAt: number;
  /** The slot whose address stands in each header to be sent, so that it is written only once. */
  readonly #answered: Int32Array;
  #kept = 0;
  #used: number;

  /**
   * Datagrams longer than `room` bytes are cut (see `cut`); no answer is longer than `answerRoom`.
   * Throws where `movesBatches` says no.
   */
  constructor(size: number, room: number, answerRoom: number) {
    if (libc === undefined) throw new Error("this system moves no datagrams in batches");
    this.#libc = libc;
    this.size = size;
    this.room = room;
    this.answerRoom = answerRoom;
    const bytes = block(size * room);
    const answers = block(size * answerRoom);
    const names = block(size * NAME);
    const controls = block(size * CONTROL);
    // Those of what comes in, then those of what goes out.
    const vectors = block(2 * size * IOVEC);
    const received = block(size * MMSGHDR);
    const sent = block(size * MMSGHDR);
    for (let i = 0; i < size; i++) {
      const name = names.at + i * NAME;
      const control = controls.at + i * CONTROL;
      vector(vectors, i, bytes.at + i * room, room);
      vector(vectors, size + i, answers.at + i * answerRoom, 0);
      header(received, i, name, vectors.at + i * IOVEC, control);
      header(sent, i, name, vectors.at + (size + i) * IOVEC, control);
    }
    this.bytes = bytes.bytes;
    this.answers = answers.bytes;
    this.#names = names.bytes;
    this.#controls = controls.bytes;
    this.#controls32 = new Int32Array(controls.buffer);
    this.#received = new Int32Array(received.buffer);
    this.#sent = new Int32Array(sent.buffer);
    this.#vectors = new Int32Array(vectors.buffer);
    this.#receivedAt = received.at;
    this.#sentAt = sent.at;
    this.#answered = Int32Array.from({ length: size }, (_, i) => i);
    this.#used = size; // all of them are to be made ready first
    const views = (from: number, length: number): Uint8Array[] =>
      Array.from({ length: size }, (_, i) =>
        names.bytes.subarray(i * NAME + from, i * NAME + from + length),
      );
    this.#clients4 = views(4, 4);
    this.#clients6 = views(8, 16);
    this.#mapped = views(20, 4);
  }

  /** How many came; 0 when there is nothing (more) to read. What was kept before is forgotten. */
  receive(fd: number): number {
    const received = this.#received;
    // What the kernel wrote into the headers last time, it would take as our wish this time.
    for (let i = 0; i < this.#used; i++) {
      const at = (i * MMSGHDR) >> 2;
      received[at + 2] = NAME_LENGTH;
      received[at + 10] = CONTROL;
    }
    this.#kept = 0;
    const n = this.#libc.recvmmsg(fd, pointer(this.#receivedAt), this.size, 0, null);
    if (n >= 0) return (this.#used = n);
    this.#used = 0;
    const why = errno();
    // EINTR, or what a client's ICMP left behind: nothing was read, and the next try will.
    if (why === "EBADF" || why === "ENOTSOCK" || why === "EFAULT" || why === "EINVAL")
      throw new SysError("recvmmsg", why, `fd ${fd}`);
    return 0;
  }

  /** Bytes of slot `i`. */
  lengthOf(i: number): number {
    return this.#received[(i * MMSGHDR + 56) >> 2] as number; // i is a slot
  }

  /** Was the datagram longer than `room`? */
  cut(i: number): boolean {
    return ((this.#received[(i * MMSGHDR + 48) >> 2] as number) & MSG_TRUNC) !== 0;
  }

  /** The client's address: four bytes or sixteen, an IPv4 address in IPv6 clothes as four. */
  clientOf(i: number): Uint8Array {
    const names = this.#names;
    const at = i * NAME;
    // Views by slot, so that none is made here: i is a slot.
    if (names[at] !== AF_INET6) return this.#clients4[i] as Uint8Array;
    for (let j = at + 8; j < at + 18; j++)
      if (names[j] !== 0) return this.#clients6[i] as Uint8Array;
    return names[at + 18] === 0xff && names[at + 19] === 0xff
      ? (this.#mapped[i] as Uint8Array)
      : (this.#clients6[i] as Uint8Array);
  }

  /** The client's port. 0 is possible (RFC 6335 reserves it, nobody checks): never answer it. */
  portOf(i: number): number {
    const at = i * NAME + 2;
    return ((this.#names[at] as number) << 8) | (this.#names[at + 1] as number);
  }

  /** The way back to the client of slot `i`, for later. A copy. */
  routeOf(i: number): Route {
    const at = (i * MMSGHDR) >> 2;
    const nameLength = this.#received[at + 2] as number; // i is a slot
    const controlLength = this.#received[at + 10] as number;
    if (controlLength !== 0) fromThere(this.#controls, this.#controls32, i * CONTROL);
    return {
      name: this.#names.slice(i * NAME, i * NAME + nameLength),
      control: this.#controls.slice(i * CONTROL, i * CONTROL + controlLength),
    };
  }

  /** Answers kept and not yet sent. */
  get kept(): number {
    return this.#kept;
  }

  /** Where the next answer is to be written, in `answers`. */
  get answerAt(): number {
    return this.#kept * this.answerRoom;
  }

  /** Keep the `length` bytes at `answerAt` as the answer to slot `i`. */
  answer(i: number, length: number): void {
    const k = this.#kept++;
    const from = (i * MMSGHDR) >> 2;
    const to = (k * MMSGHDR) >> 2;
    const received = this.#received;
    const sent = this.#sent;
    if (this.#answered[k] !== i) {
      this.#answered[k] = i;
      // Pointers to the address and the control data are the slot's.
      sent[to] = received[from] as number;
      sent[to + 1] = received[from + 1] as number;
      sent[to + 8] = received[from + 8] as number;
      sent[to + 9] = received[from + 9] as number;
    }
    sent[to + 2] = received[from + 2] as number;
    const control = received[from + 10] as number;
    sent[to + 10] = control;
    if (control !== 0) fromThere(this.#controls, this.#controls32, i * CONTROL);
    this.#vectors[(this.size + k) * 4 + 2] = length;
  }

  /** Send what was kept; how many went. The others are lost, as datagrams may be. */
  send(fd: number): number {
    const went = sendAll(this.#libc.sendmmsg, fd, this.#sentAt, this.#kept);
    this.#kept = 0;
    return went;
  }
}
