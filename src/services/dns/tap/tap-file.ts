import { closeSync, ftruncateSync, mkdirSync, openSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";

import type { Closable } from "../../../core/lease.ts";
import { rotate } from "../../../observe/rotate.ts";
import { START, STOP } from "../../../wire/dns/frame-streams.ts";
import type { TapSink } from "./tap.ts";

export interface TapFileParts {
  readonly path: string;
  /** Bytes after which another is begun; 0 is never. */
  readonly rotate: number;
  readonly keep: number;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** Told of frames that could not be written. */
  readonly dropped: (frames: number) => void;
  /** Told when it begins to be so, and why. */
  readonly trouble: (why: string) => void;
}

/** Frames in a file that is begun anew: what is there becomes `path.1`, since nothing may follow STOP. */
export class TapFile implements TapSink, Closable {
  readonly #parts: TapFileParts;
  #fd: number | undefined;
  /** Bytes of whole frames. */
  #written = 0;
  #troubled = false;

  /** The file is there with the first frame. */
  constructor(parts: TapFileParts) {
    this.#parts = parts;
  }

  send(bytes: Uint8Array, frames: number): void {
    const { rotate: most, dropped, trouble } = this.#parts;
    try {
      this.#fd ??= this.#open();
      if (this.#written === 0) this.#write(this.#fd, START);
      this.#write(this.#fd, bytes);
      this.#troubled = false;
    } catch (error) {
      this.#mend();
      dropped(frames);
      if (!this.#troubled) trouble(error instanceof Error ? error.message : String(error));
      this.#troubled = true;
    }
    if (most > 0 && this.#written >= most) this.#end();
  }

  async close(): Promise<void> {
    this.#end();
  }

  #open(): number {
    const { path, keep, wall } = this.#parts;
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
    const there = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (there !== undefined && !rotate(path, there.ino, keep, wall()))
      throw new Error(`${path} is there and cannot be moved away`);
    return openSync(path, "ax", 0o640);
  }

  #write(fd: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
    this.#written += bytes.length;
  }

  /** Frames that were cut short go: a full disk has room again one day. Where they cannot go, they are the last. */
  #mend(): void {
    try {
      if (this.#fd !== undefined) ftruncateSync(this.#fd, this.#written);
    } catch {
      this.#shut();
    }
  }

  #end(): void {
    try {
      if (this.#fd !== undefined && this.#written > 0) this.#write(this.#fd, STOP);
    } catch {
      this.#mend(); // readers take the end of the file for the end of the frames
    }
    this.#shut();
  }

  #shut(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#written = 0;
  }
}
