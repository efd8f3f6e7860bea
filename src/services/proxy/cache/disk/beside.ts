import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import { join } from "node:path";

import { NEW } from "./place.ts";

/** Files of one directory that come to be whole or not at all: written beside, then named. */
export class Beside {
  readonly #root: string;
  #serial = 0;

  constructor(root: string) {
    this.#root = root;
  }

  /** A path where nothing is yet, for what is to be named later. */
  path(): string {
    return join(this.#root, NEW, `${process.pid}-${this.#serial++}`);
  }

  /** Write a file beside, then give it its name. Answers its bytes. Throws what the disk says. */
  fileNow(name: string, pieces: readonly Uint8Array[]): number {
    const beside = this.path();
    const fd = openSync(beside, "wx", 0o600);
    let bytes = 0;
    try {
      try {
        for (const piece of pieces) {
          for (let at = 0; at < piece.length;) at += writeSync(fd, piece, at, piece.length - at);
          bytes += piece.length;
        }
      } finally {
        closeSync(fd);
      }
      renameSync(beside, join(this.#root, name));
    } catch (error) {
      rmSync(beside, { force: true });
      throw error;
    }
    return bytes;
  }

  /** The same, while others have their turn. */
  async file(name: string, pieces: readonly Uint8Array[]): Promise<number> {
    const beside = this.path();
    const file = await open(beside, "wx", 0o600);
    let bytes = 0;
    try {
      try {
        for (const piece of pieces) {
          await writeAll(file, piece);
          bytes += piece.length;
        }
      } finally {
        await file.close();
      }
      await rename(beside, join(this.#root, name));
    } catch (error) {
      await unlink(beside).catch(() => {}); // renamed or gone: nothing is left of it
      throw error;
    }
    return bytes;
  }
}

async function writeAll(
  file: { write(bytes: Uint8Array, at: number, length: number): Promise<{ bytesWritten: number }> },
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;)
    at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
}
