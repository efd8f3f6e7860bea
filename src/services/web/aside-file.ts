import { type FileHandle, open, rm } from "node:fs/promises";

import type { Sink } from "./compress.ts";

export interface AsideRules {
  /** A longer file is given up. Bytes. */
  readonly max: number;
  /** Told of what went wrong: nobody else is. */
  readonly trouble: (error: unknown) => void;
  /** It is whole and synced: give it its place. */
  readonly done: (bytes: number) => Promise<void>;
}

/** A file written aside until it is whole. Never throws: at worst there is no file. */
export class AsideFile implements Sink {
  readonly #path: string;
  readonly #lead: Uint8Array;
  readonly #rules: AsideRules;
  #file: FileHandle | undefined;
  #bytes = 0;
  #state: "new" | "open" | "over" = "new";

  /** `lead`: its first bytes. */
  constructor(path: string, lead: Uint8Array, rules: AsideRules) {
    this.#path = path;
    this.#lead = lead;
    this.#rules = rules;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#state === "over") return;
    try {
      if (this.#state === "new") {
        this.#file = await open(this.#path, "wx", 0o600);
        this.#state = "open";
        await this.#append(this.#lead);
      }
      await this.#append(chunk);
      if (this.#bytes > this.#rules.max) await this.abort();
    } catch (error) {
      await this.#failed(error);
    }
  }

  async commit(): Promise<void> {
    if (this.#state !== "open") return;
    try {
      await this.#file?.sync();
      await this.#close();
      await this.#rules.done(this.#bytes);
    } catch (error) {
      await this.#failed(error);
    }
  }

  async abort(): Promise<void> {
    const made = this.#state === "open";
    this.#state = "over";
    if (!made) return;
    await this.#close().catch(this.#rules.trouble);
    await rm(this.#path, { force: true }).catch(this.#rules.trouble);
  }

  async #failed(error: unknown): Promise<void> {
    this.#rules.trouble(error);
    await this.abort();
  }

  async #append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const written = await this.#file?.write(bytes, at);
      if (!written) return;
      at += written.bytesWritten;
      this.#bytes += written.bytesWritten;
    }
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}
