import { release } from "node:os";

import {
  attachVerdict,
  createMap,
  deleteFromMap,
  mapMemory,
  MMAPABLE,
  updateMap,
} from "../../sys/bpf.ts";
import { SysError } from "../../sys/errno.ts";
import { block } from "../../sys/memory.ts";
import { socketCookie } from "../../sys/tcp-info.ts";
import { verdict } from "./sockmap-verdict.ts";

/** Sockets at once. */
const MAX_SOCKETS = 16_384;
/** Bytes that go to a peer before we look whether it took them: what the kernel may have to keep for it. */
const WINDOW = 4 * 1024 * 1024;
/** Of them what may be used before it is worth a look: to ask a socket takes two system calls. */
const WORTH_A_LOOK = WINDOW / 4;
const NEVER = 0xffff_ffff;

// A row of the ledger, four u64: what the verdict counted, and what we allow.
const ROW = 8; // of 32 bits
const PASSED = 0;
const RESUME_AT = 2;
const LIMIT = 4;
const REDIRECTED = 6;

const key = block(8);
const value = block(4);

/**
 * Sockets whose bytes the kernel itself hands to their peers (BPF_MAP_TYPE_SOCKHASH and a verdict
 * on each segment). By itself the kernel would queue for a peer that does not read without any
 * bound: the verdict therefore lets only so many bytes through, and leaves the rest to us to read
 * as ever, until we say that everything it left has been read and sent.
 */
export class Sockmap {
  readonly #sockets: number;
  readonly #rows: number;
  readonly #ledger: Uint32Array;
  readonly #free = Array.from({ length: MAX_SOCKETS }, (_, i) => MAX_SOCKETS - 1 - i);

  /** Throws SysError: EPERM without CAP_BPF and CAP_NET_ADMIN, EINVAL where the kernel has no such maps. */
  constructor() {
    this.#sockets = createMap({ type: "sockhash", keySize: 8, valueSize: 4, entries: MAX_SOCKETS });
    this.#rows = createMap({ type: "hash", keySize: 8, valueSize: 4, entries: MAX_SOCKETS });
    const ledger = { keySize: 4, valueSize: 4 * ROW, entries: MAX_SOCKETS } as const;
    const map = createMap({ type: "array", ...ledger, flags: MMAPABLE });
    this.#ledger = new Uint32Array(mapMemory(map, MAX_SOCKETS * 4 * ROW));
    attachVerdict(
      this.#sockets,
      verdict({ sockets: this.#sockets, rows: this.#rows, ledger: map }),
    );
  }

  /**
   * A row for what comes from `fd` and is for `peer`. Nothing goes by itself before `resume`.
   * Undefined when there are too many or the kernel does not want this socket.
   */
  seat(fd: number, peer: number): number | undefined {
    const row = this.#free.pop();
    if (row === undefined) return undefined;
    this.#ledger.fill(0, row * ROW, (row + 1) * ROW);
    this.#set(row, RESUME_AT, NEVER);
    key.bytes.set(socketCookie(fd));
    value.view.setUint32(0, row, true);
    const known = updateMap(this.#rows, key, value);
    value.view.setUint32(0, peer, true);
    if (known && updateMap(this.#sockets, key, value)) return row;
    if (known) deleteFromMap(this.#rows, key);
    this.#free.push(row);
    return undefined;
  }

  /** Before `fd` is closed. */
  unseat(fd: number, row: number): void {
    key.bytes.set(socketCookie(fd));
    deleteFromMap(this.#rows, key);
    deleteFromMap(this.#sockets, key);
    this.#free.push(row);
  }

  /** Bytes that went by themselves. */
  redirected(row: number): number {
    return this.#get(row, REDIRECTED);
  }
  /** Are bytes left to us, and will more be, until `resume`? */
  holds(row: number): boolean {
    return this.#get(row, PASSED) !== this.#get(row, RESUME_AT);
  }

  /** All `read` bytes that were left to us have been sent, and the peer took everything before. */
  resume(row: number, read: number): void {
    this.extend(row);
    this.#set(row, RESUME_AT, read);
  }
  /** Is so much of what may go by itself gone that it should be extended? */
  runsLow(row: number): boolean {
    return this.redirected(row) + WINDOW - this.#get(row, LIMIT) > WORTH_A_LOOK;
  }
  /** The peer took everything so far: as much again may go by itself. */
  extend(row: number): void {
    this.#set(row, LIMIT, this.redirected(row) + WINDOW);
  }

  #get(row: number, field: number): number {
    const at = row * ROW + field;
    // Read again when the lower half went over: the kernel counts meanwhile.
    for (;;) {
      const high = this.#ledger[at + 1] as number; // within: rows are ours
      const low = this.#ledger[at] as number;
      if (high === this.#ledger[at + 1]) return high * 2 ** 32 + low;
    }
  }
  #set(row: number, field: number, to: number): void {
    const at = row * ROW + field;
    this.#ledger[at + 1] = Math.floor(to / 2 ** 32);
    this.#ledger[at] = to >>> 0;
  }
}

/** Before it, sockets in such maps lost bytes, or stood still, now and then. */
const TRUSTED = [6, 6] as const;

/** Whether it may be used unasked: it can be had, and the kernel is not too old. */
export function mayBeUsed(): boolean {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  const recent = major > TRUSTED[0] || (major === TRUSTED[0] && minor >= TRUSTED[1]);
  return recent && typeof sockmap() !== "string";
}

let opened: Sockmap | string | undefined;

/** The one of this process, made when it is first asked for; or why there is none. */
export function sockmap(): Sockmap | string {
  if (opened !== undefined) return opened;
  try {
    opened = new Sockmap();
  } catch (failed) {
    if (!(failed instanceof SysError)) throw failed;
    opened = failed.message;
  }
  return opened;
}
