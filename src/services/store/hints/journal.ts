/**
 * Lines that survive a crash: each has a checksum, and is on disk when `add` resolves. A line that
 * is not whole is as if it had never been written.
 *
 *     5f3a09c1 {"id":"...","want":{...}}      CRC-32 of the rest in hex
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, unlinkSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";

import { fsyncDirectory } from "../../../sys/durable.ts";
import { lockFile } from "../../../sys/file-lock.ts";

/** As it is written. */
export function emitLine(value: unknown): string {
  const text = JSON.stringify(value);
  return `${crc32(text).toString(16).padStart(8, "0")} ${text}\n`;
}

/** Values of all whole lines, and how many others there are. */
export function parseLines(text: string): { values: unknown[]; damaged: number } {
  const values: unknown[] = [];
  let damaged = 0;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const json = line.slice(9);
    if (/^[0-9a-f]{8} /.test(line) && crc32(json) === Number.parseInt(line.slice(0, 8), 16))
      values.push(JSON.parse(json));
    else damaged++;
  }
  return { values, damaged };
}

/** A file of lines that is ours alone for as long as we live. */
export class Journal {
  readonly path: string;
  readonly #handle: FileHandle;
  #waiting: { readonly text: string; readonly done: PromiseWithResolvers<void> }[] = [];
  #writing: Promise<void> | undefined;
  #size: number;
  /** The last line may not be whole: the next one must not be part of it. */
  #torn: boolean;

  private constructor(path: string, handle: FileHandle, size: number) {
    this.path = path;
    this.#handle = handle;
    this.#size = size;
    this.#torn = size > 0;
  }

  /** Undefined when another process has it. */
  static async open(path: string): Promise<Journal | undefined> {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const isNew = !existsSync(path);
    const handle = await open(path, "a", 0o600);
    if (lockFile(handle.fd) === "EAGAIN") {
      await handle.close();
      return undefined;
    }
    if (isNew) await fsyncDirectory(dirname(path));
    const { size } = await handle.stat();
    return new Journal(path, handle, size);
  }

  get size(): number {
    return this.#size;
  }

  read(): { values: unknown[]; damaged: number } {
    return parseLines(readFileSync(this.path, "utf8"));
  }

  /** Add values; on disk when it resolves. What is added meanwhile goes with the next write. */
  async add(...values: readonly unknown[]): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ text: values.map(emitLine).join(""), done });
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    return done.promise;
  }

  /** Nothing in it is wanted any more. */
  async empty(): Promise<void> {
    await this.#handle.truncate(0);
    this.#size = 0;
  }

  /** `remove`: nobody wants what is in it. */
  async close(remove = false): Promise<void> {
    await this.#writing;
    if (remove) unlinkSync(this.path);
    await this.#handle.close();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      try {
        await this.#append(batch.map(({ text }) => text).join(""));
        for (const { done } of batch) done.resolve();
      } catch (error) {
        for (const { done } of batch) done.reject(error);
      }
    }
  }

  async #append(text: string): Promise<void> {
    const bytes = Buffer.from(this.#torn ? `\n${text}` : text);
    this.#torn = true;
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await this.#handle.write(bytes, at);
      at += bytesWritten;
      this.#size += bytesWritten;
    }
    await this.#handle.datasync();
    this.#torn = false;
  }
}

/** The values of a journal that may be another process's, as they are now. */
export function peek(path: string): unknown[] {
  const fd = openSync(path, "r");
  try {
    return parseLines(readFileSync(fd, "utf8")).values;
  } finally {
    closeSync(fd);
  }
}
