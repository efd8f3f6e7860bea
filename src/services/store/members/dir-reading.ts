import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";

import { inWords } from "./dir-trouble.ts";
import type { Reading } from "./member.ts";

/** Bytes read at once, for whoever brings no room for them. */
const CHUNK = 256 * 1024;

/** Bytes [from, to). */
interface Run {
  readonly from: number;
  readonly to: number;
}

/** A file of a directory as it is read. `where` is the member's root. */
export class DirReading implements Reading {
  readonly size: number;
  readonly mtime: number;
  readonly #where: string;
  readonly #handle: FileHandle;
  readonly #to: number;
  #at: number;
  #open = true;
  /** What another thread does with the descriptor, which must not become another file's meanwhile. */
  #busy: Promise<unknown> | undefined;

  constructor(where: string, handle: FileHandle, { size, mtimeMs: mtime }: Stats, run: Run) {
    const { from, to } = run;
    this.#where = where;
    this.#handle = handle;
    this.size = size;
    this.mtime = mtime;
    this.#at = from;
    this.#to = Math.min(to, size);
  }

  async next(room?: Uint8Array): Promise<Uint8Array | undefined> {
    const length = Math.min(room?.length ?? CHUNK, this.#to - this.#at);
    if (length <= 0 || !this.#open) return undefined;
    const bytes = room ?? new Uint8Array(length);
    const bytesRead = await this.#read(bytes, length);
    if (bytesRead === 0) return undefined; // cut meanwhile: who counts sees it
    this.#at += bytesRead;
    return bytes.subarray(0, bytesRead);
  }

  async #read(into: Uint8Array, length: number): Promise<number> {
    const reading = this.#handle.read(into, 0, length, this.#at);
    this.#busy = reading;
    try {
      return (await reading).bytesRead;
    } catch (error) {
      throw inWords(this.#where, "read", error);
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    void this.#closeWhenIdle();
  }

  async #closeWhenIdle(): Promise<void> {
    await this.#busy?.catch(() => {}); // who asked for it has heard
    await this.#handle.close().catch(() => {}); // it was only read
  }
}
