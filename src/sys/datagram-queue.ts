import { CONTROL, type Route } from "./datagram-route.ts";
import { openLibc } from "./libc.ts";
import { type Block, block } from "./memory.ts";
import { header, IOVEC, MMSGHDR, NAME } from "./message-headers.ts";
import { sendAll } from "./send-all.ts";

const libc = openLibc({
  sendmmsg: { args: ["i32", "ptr", "u32", "i32"], returns: "i32" },
});

/** No datagram is longer: 65 535 less the headers of IPv4 and UDP. */
export const MAX_DATAGRAM = 65_507;

/** Datagrams for many, sent with one system call. The memory of all of them is here, made once. */
export class DatagramQueue {
  readonly #size: number;
  readonly #arena: Block;
  readonly #names: Uint8Array;
  readonly #controls: Uint8Array;
  readonly #vectors: Block;
  readonly #headers: Block;
  #count = 0;
  #used = 0;

  /** So many datagrams at most, of `bytes` together: at least MAX_DATAGRAM. */
  constructor(size: number, bytes: number) {
    this.#size = size;
    this.#arena = block(bytes);
    this.#vectors = block(size * IOVEC);
    this.#headers = block(size * MMSGHDR);
    const names = block(size * NAME);
    const controls = block(size * CONTROL);
    this.#names = names.bytes;
    this.#controls = controls.bytes;
    for (let i = 0; i < size; i++) {
      const [name, control] = [names.at + i * NAME, controls.at + i * CONTROL];
      header(this.#headers, i, name, this.#vectors.at + i * IOVEC, control);
    }
  }

  get count(): number {
    return this.#count;
  }
  /** Is there no room for another of any length? */
  get full(): boolean {
    return this.#count === this.#size || this.#arena.bytes.length - this.#used < MAX_DATAGRAM;
  }
  /** Address of MAX_DATAGRAM bytes for the next datagram, unless `full`. */
  get at(): number {
    return this.#arena.at + this.#used;
  }

  /** The `length` bytes at `at` are for `route`. */
  push({ name, control }: Route, length: number): void {
    const i = this.#count++;
    this.#names.set(name, i * NAME);
    this.#controls.set(control, i * CONTROL);
    this.#headers.view.setUint32(i * MMSGHDR + 8, name.length, true);
    this.#headers.view.setUint32(i * MMSGHDR + 40, control.length, true);
    this.#vectors.view.setBigUint64(i * IOVEC, BigInt(this.at), true);
    this.#vectors.view.setUint32(i * IOVEC + 8, length, true);
    this.#used += length;
  }

  /** Send them all; how many went. The others are lost, as datagrams may be. */
  send(fd: number): number {
    const went = sendAll(libc.sendmmsg, fd, this.#headers.at, this.#count);
    this.#count = 0;
    this.#used = 0;
    return went;
  }
}
