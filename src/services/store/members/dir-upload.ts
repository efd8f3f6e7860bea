import fs, { closeSync, unlinkSync, writeSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { promisify } from "node:util";

import { inWords } from "./dir-trouble.ts";
import type { Upload } from "./member.ts";
import type { Nearby } from "./nearby.ts";

/**
 * So much of an upload is written in the thread itself: the kernel lets those wait who write more.
 * It is on its way to the disk while others prepare what goes with it.
 */
const MAX_NEAR = 256 * 1024;

/** In other threads, by descriptor. */
const write = promisify(fs.write);
const fsync = promisify(fs.fsync);

/** What an upload asks of its directory. */
export interface Home {
  readonly where: string;
  readonly near: Nearby;
  /** Wait for the disk. */
  readonly fsync: boolean;
  /** Give the file at `path` the name `at`; the name is on disk when it resolves. */
  place(path: string, at: string): Promise<void>;
}

/** A file that is being written, open as `fd` under the temporary name `path`. */
export class DirUpload implements Upload {
  readonly #home: Home;
  readonly #path: string;
  readonly #fd: number;
  #size = 0;
  /** What another thread does with the descriptor, which must not become another file's meanwhile. */
  #busy: Promise<unknown> | undefined;
  /** Its bytes are on their way to the disk. */
  #kept: Promise<void> = Promise.resolve();
  #open = true;

  constructor(home: Home, path: string, fd: number) {
    this.#home = home;
    this.#path = path;
    this.#fd = fd;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        const rest = at === 0 ? bytes : bytes.subarray(at);
        const written = this.#writeNow(rest) ?? (await this.#writeLater(rest));
        at += written;
        this.#size += written;
      }
    } catch (error) {
      throw inWords(this.#home.where, "write", error);
    }
  }

  #writeNow(bytes: Uint8Array): number | undefined {
    if (this.#size + bytes.length > MAX_NEAR) return undefined;
    return this.#home.near.now(() => writeSync(this.#fd, bytes));
  }

  async #writeLater(bytes: Uint8Array): Promise<number> {
    const written = write(this.#fd, bytes, 0, bytes.length);
    this.#busy = written;
    return (await written).bytesWritten;
  }

  async finish(): Promise<void> {
    if (!this.#home.fsync) return this.#closeInWords();
    this.#kept = this.#keep();
    this.#kept.catch(() => {}); // `place` tells
    if (this.#size > MAX_NEAR) await this.#kept;
  }

  async #keep(): Promise<void> {
    try {
      await (this.#busy = fsync(this.#fd));
    } catch (error) {
      throw inWords(this.#home.where, "write", error);
    }
    this.#closeInWords();
  }

  async place(at: string): Promise<void> {
    await this.#kept;
    await this.#home.place(this.#path, at);
  }

  async abort(): Promise<void> {
    await this.#home.near
      .either(
        () => unlinkSync(this.#path),
        () => unlink(this.#path),
      )
      .catch(() => {}); // gone already, or the directory is
    await this.#busy?.catch(() => {}); // who asked for it has heard
    try {
      this.#close();
    } catch {} // an error it has told already
  }

  #closeInWords(): void {
    try {
      this.#close();
    } catch (error) {
      throw inWords(this.#home.where, "write", error);
    }
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#fd);
  }
}
