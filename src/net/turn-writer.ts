import { Copier } from "../sys/copier.ts";
import { address, block } from "../sys/memory.ts";
import { AGAIN, GONE, send, sendfile } from "../sys/socket.ts";
import type { Reactor } from "./reactor.ts";

/** Writes up to so long are held until the turn's end: longer ones cost more to copy than is saved. */
const HELD = 8 * 1024;
/** So many are held at most: whoever is first shall not wait for hundreds of others. */
const MOST = 32;

/** Whose socket it is. */
export interface TurnWriterOwner {
  /** The socket had no room for what was held: `push` on when it has. */
  stuck(): void;
}

/**
 * What goes out on one socket. What is written while the reactor tells of what is ready is held, and
 * leaves when all that was ready then has been told: reading, understanding and sending are each done
 * for many sockets in a row, and so cost some tenth less per request than in turns (they evict one
 * another from the processor's caches). Whoever writes is told that it was taken; what the socket then
 * has no room for waits here. Any other time bytes leave at once.
 */
export class TurnWriter {
  readonly #reactor: Reactor;
  readonly #fd: number;
  readonly #owner: TurnWriterOwner;
  #open = true;
  /** Writes that are held. */
  #held = 0;
  /** What was held and found no room. */
  #rest: Uint8Array | undefined;

  constructor(reactor: Reactor, fd: number, owner: TurnWriterOwner) {
    this.#reactor = reactor;
    this.#fd = fd;
    this.#owner = owner;
  }

  /** Something waits for room. */
  get waits(): boolean {
    return this.#rest !== undefined;
  }

  /** As sys/socket.ts's `send`, of `bytes[from, to)`, which are not kept. */
  write(bytes: Uint8Array, from: number, to: number, more: boolean): number {
    if (this.#rest !== undefined) return AGAIN;
    const length = to - from;
    if (!more && length <= HELD && this.#reactor.atEnd(letGo)) {
      hold(this, bytes, from, length);
      this.#held++;
      return length;
    }
    if (!this.#release()) return AGAIN;
    return send(this.#fd, address(bytes) + from, length, more);
  }

  /** As sys/socket.ts's `sendfile`. */
  sendFile(file: number, offset: number, length: number): number {
    return this.#release() ? sendfile(this.#fd, file, offset, length) : AGAIN;
  }

  /** Everything that was written to the socket, as far as it has room. True: nothing waits. */
  push(): boolean {
    if (!this.#release()) this.#retry();
    return this.#rest === undefined;
  }

  /** The socket is closed by its owner: nothing more is sent. */
  drop(): void {
    this.#open = false;
    this.#rest = undefined;
  }

  /** What is held leaves now. True: nothing waits. */
  #release(): boolean {
    if (this.#held > 0) letGo();
    return this.#rest === undefined;
  }

  #retry(): void {
    const rest = this.#rest;
    if (rest === undefined) return;
    const n = send(this.#fd, address(rest), rest.length, false);
    if (n === AGAIN) return;
    this.#rest = n === GONE || n === rest.length ? undefined : rest.subarray(n);
  }

  /** For `letGo`: one write's time has come. */
  leave(at: number, length: number): void {
    this.#held--;
    if (!this.#open) return;
    if (this.#rest !== undefined) {
      this.#rest = Buffer.concat([this.#rest, ARENA.bytes.subarray(at, at + length)]);
      return;
    }
    const n = send(this.#fd, ARENA.at + at, length, false);
    if (n === length || n === GONE) return; // gone: reading will tell
    const sent = n === AGAIN ? 0 : n;
    this.#rest = ARENA.bytes.slice(at + sent, at + length);
    this.#owner.stuck();
  }
}

/** What this thread holds, in the order of writing. */
const ARENA = block(MOST * HELD);
const copier = new Copier();
const writers: TurnWriter[] = [];
const starts = new Int32Array(MOST + 1);
let count = 0;

function hold(writer: TurnWriter, bytes: Uint8Array, from: number, length: number): void {
  if (count === MOST) letGo();
  const at = starts[count] as number;
  copier.copy(bytes, from, ARENA.bytes, at, length);
  writers[count++] = writer;
  starts[count] = at + length;
}

/** Everybody's. What they say meanwhile is about the next turn: nobody writes in `stuck`. */
function letGo(): void {
  const held = count;
  count = 0;
  for (let i = 0; i < held; i++) {
    const at = starts[i] as number;
    writers[i]?.leave(at, (starts[i + 1] as number) - at);
  }
  writers.length = 0;
}
