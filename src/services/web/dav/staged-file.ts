/** A file being written under a hidden name, until it takes its place whole. */
import { constants, lstatSync, renameSync, type Stats, utimesSync } from "node:fs";
import { copyFile, type FileHandle, open, unlink } from "node:fs/promises";

import { temporaryPath } from "./temporary.ts";

/** Two versions of a file this close in time could have the same mtime; then the newer one is made younger. */
const SAME_TICK_MS = 1000;
const NUDGE_MS = 0.01; // utimes takes seconds as a double: finer steps would be lost

export class StagedFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #at = 0;
  #done = false;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  /** An empty one; no more open to others than what it replaces. */
  static async create(directory: string, replaces: Stats | undefined): Promise<StagedFile> {
    const path = temporaryPath(directory, "put");
    return new StagedFile(path, await open(path, "wx", replaces ? replaces.mode & 0o777 : 0o666));
  }

  /** A copy of `file` to be changed from `offset` on. Shares its blocks where the file system can. */
  static async copyOf(file: string, directory: string, offset: number): Promise<StagedFile> {
    const path = temporaryPath(directory, "put");
    try {
      await copyFile(file, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      const staged = new StagedFile(path, await open(path, "r+"));
      staged.#at = offset;
      return staged;
    } catch (failed) {
      await unlink(path).catch(() => {}); // half a copy; it may not even be there
      throw failed;
    }
  }

  /** Write behind what was written before. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length;) {
      const { bytesWritten } = await this.#handle.write(bytes, from, bytes.length - from, this.#at);
      from += bytesWritten;
      this.#at += bytesWritten;
    }
  }

  /** All of it is on disk, and it has the permissions of what it replaces. */
  async finish(replaces: Stats | undefined): Promise<void> {
    if (replaces) await this.#handle.chmod(replaces.mode & 0o777);
    await this.#handle.sync();
    await this.#handle.close();
  }

  /** Take the place of `file`, at once. */
  takePlace(file: string, replaces: Stats | undefined): Stats {
    const mine = lstatSync(this.path);
    // Entity tags are made of time and size: no two versions may share both.
    const ahead = replaces ? replaces.mtimeMs - mine.mtimeMs : -1;
    if (replaces && ahead >= 0 && ahead < SAME_TICK_MS)
      utimesSync(this.path, mine.atimeMs / 1000, (replaces.mtimeMs + NUDGE_MS) / 1000);
    renameSync(this.path, file);
    this.#done = true;
    return lstatSync(file);
  }

  /** Forget it, unless it has taken its place. */
  async discard(): Promise<void> {
    if (this.#done) return;
    this.#done = true;
    await this.#handle.close().catch(() => {}); // finished ones are closed already
    await unlink(this.path).catch(() => {}); // its directory may be gone, and it with that
  }
}
