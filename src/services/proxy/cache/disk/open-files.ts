import { closeSync, openSync } from "node:fs";

import type { Clock } from "../../../../core/clock.ts";
import { type Filed, reread } from "./filed.ts";

/** A file is opened by its name again after so long: another may have it by then, or nobody. */
const OPEN_MS = 1000;

interface Open {
  readonly fd: number;
  readonly since: number;
}

/** Files opened lately, a bounded number of them, each for a second. */
export class OpenFiles {
  readonly #most: number;
  readonly #clock: Clock;
  /** By path, the one opened first in front. */
  readonly #open = new Map<string, Open>();
  #sweeping = false;
  readonly #end = new AbortController();

  constructor(most: number, clock: Clock) {
    this.#most = most;
    this.#clock = clock;
  }

  /** `reread`, of a file that need not be open. */
  reread(filed: Filed): boolean {
    const { path } = filed;
    const now = this.#clock.now();
    const open = this.#open.get(path);
    if (open !== undefined) {
      if (now - open.since < OPEN_MS) return reread(filed, open.fd);
      this.#close(path, open.fd);
    }
    const fd = openSync(path, "r");
    if (this.#open.size < this.#most && !this.#end.signal.aborted) {
      this.#open.set(path, { fd, since: now });
      if (!this.#sweeping) void this.#sweep();
      return reread(filed, fd);
    }
    try {
      return reread(filed, fd);
    } finally {
      closeSync(fd);
    }
  }

  get size(): number {
    return this.#open.size;
  }

  close(): void {
    this.#end.abort();
    for (const [path, { fd }] of this.#open) this.#close(path, fd);
  }

  #close(path: string, fd: number): void {
    this.#open.delete(path);
    closeSync(fd);
  }

  /** Close what nobody asks for any more: a file that was removed takes its room until then. */
  async #sweep(): Promise<void> {
    this.#sweeping = true;
    while (this.#open.size > 0 && !this.#end.signal.aborted) {
      await this.#clock.sleep(OPEN_MS, this.#end.signal).catch(() => {}); // closed
      const before = this.#clock.now() - OPEN_MS;
      for (const [path, { fd, since }] of this.#open) {
        if (since > before) break;
        this.#close(path, fd);
      }
    }
    this.#sweeping = false;
  }
}
