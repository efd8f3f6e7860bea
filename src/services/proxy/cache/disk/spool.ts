import { closeSync, openSync, read, renameSync, rmSync, write, writeSync } from "node:fs";
import { crc32 } from "node:zlib";

/** Read for one reader at a time. */
const STEP = 128 * 1024;

export interface SpoolParts {
  /** Where it is written until it is whole. */
  readonly beside: string;
  /** Where the body begins: what goes before is written at the end. */
  readonly bodyAt: number;
  /** More of it is on disk. */
  readonly moved: () => void;
  readonly failed: (error: unknown) => void;
}

/** A long body on its way to disk, read by those who are behind. */
export class Spool {
  readonly #parts: SpoolParts;
  readonly #fd: number;
  readonly #queue: Uint8Array[] = [];
  #writing = false;
  #open = true;
  #closed = false;
  #reading = 0;
  #done: (() => void) | undefined;
  /** Bytes of the body that are there. */
  written = 0;
  /** Bytes that are not yet. */
  waiting = 0;
  /** The disk does not take it: it will not be kept. */
  failed = false;
  crc = 0;

  /** Throws node:fs's errors. */
  constructor(parts: SpoolParts) {
    this.#parts = parts;
    this.#fd = openSync(parts.beside, "wx+", 0o600);
  }

  get readable(): boolean {
    return this.#open;
  }

  /** Bytes that will not change any more, behind those before. After a failure there is no behind. */
  add(bytes: Uint8Array): void {
    if (this.failed || !this.#open) return;
    this.crc = crc32(bytes, this.crc);
    this.#queue.push(bytes);
    this.waiting += bytes.length;
    if (!this.#writing) this.#next(0);
  }

  /** Some of [from, to), of what is written. */
  read(from: number, to: number): Promise<Uint8Array> {
    const length = Math.min(STEP, to - from);
    const into = new Uint8Array(new ArrayBuffer(length));
    this.#reading++;
    return new Promise((resolve, reject) => {
      read(this.#fd, into, 0, length, this.#parts.bodyAt + from, (error, n) => {
        this.#reading--;
        if (!this.#open) this.#end();
        if (error !== null || n === 0) reject(error ?? new Error("the file became shorter"));
        else resolve(into.subarray(0, n));
      });
    });
  }

  /** Resolves when all of it is there, or will not be. */
  async finished(): Promise<boolean> {
    if (this.#writing) await new Promise<void>((resolve) => (this.#done = resolve));
    return !this.failed;
  }

  /** Give it its head and its name; all of it is there. Throws node:fs's errors. */
  commit(head: Uint8Array, path: string): void {
    for (let at = 0; at < head.length;) at += writeSync(this.#fd, head, at, head.length - at, at);
    renameSync(this.#parts.beside, path);
  }

  /** It will not have a name; those who read it may go on. */
  abandon(): void {
    rmSync(this.#parts.beside, { force: true });
  }

  /** Nobody will read it any more. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#end();
  }

  #end(): void {
    if (this.#reading > 0 || this.#writing || this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }

  #next(at: number): void {
    const [bytes] = this.#queue;
    this.#writing = bytes !== undefined;
    if (bytes === undefined) {
      this.#done?.();
      if (!this.#open) this.#end();
      return;
    }
    const position = this.#parts.bodyAt + this.written;
    write(this.#fd, bytes, at, bytes.length - at, position, (error, n) => {
      if (error !== null) return this.#fault(error);
      this.written += n;
      this.waiting -= n;
      if (at + n < bytes.length) return this.#next(at + n);
      this.#queue.shift();
      this.#parts.moved();
      this.#next(0);
    });
  }

  #fault(error: unknown): void {
    this.failed = true;
    this.#queue.length = 0;
    this.waiting = 0;
    this.#parts.failed(error);
    this.#next(0);
    this.#parts.moved();
  }
}
