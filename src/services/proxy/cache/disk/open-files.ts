import { closeSync, fstatSync, openSync } from "node:fs";

import type { Clock } from "../../../../core/clock.ts";
import { type Filed, reread } from "./filed.ts";

/** After so long it is looked whether the file has its name still. */
const SURE_MS = 1000;
/** What nobody asks for is closed: a file that was removed takes its room until then. */
const IDLE_MS = 2000;

interface Open {
  readonly fd: number;
  sure: number;
  used: number;
}

/** Files used lately, a bounded number of them. */
export class OpenFiles {
  readonly #most: number;
  readonly #clock: Clock;
  /** By path. */
  readonly #open = new Map<string, Open>();
  #sweeping = false;
  readonly #end = new AbortController();

  constructor(most: number, clock: Clock) {
    this.#most = most;
    this.#clock = clock;
  }

  /** `reread`, of a file that need not be open. `now`, by the clock. */
  reread(filed: Filed, now: number): boolean {
    const { path } = filed;
    const open = this.#open.get(path);
    if (open !== undefined) {
      open.used = now;
      if (now - open.sure < SURE_MS) return reread(filed, open.fd);
      if (fstatSync(open.fd).nlink > 0) {
        open.sure = now;
        return reread(filed, open.fd);
      }
      this.#close(path, open.fd); // the name may be another's
    }
    const fd = openSync(path, "r");
    if (this.#open.size < this.#most && !this.#end.signal.aborted) {
      this.#open.set(path, { fd, sure: now, used: now });
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

  async #sweep(): Promise<void> {
    this.#sweeping = true;
    while (this.#open.size > 0 && !this.#end.signal.aborted) {
      await this.#clock.sleep(SURE_MS, this.#end.signal).catch(() => {}); // closed
      const before = this.#clock.now() - IDLE_MS;
      for (const [path, { fd, used }] of this.#open) if (used <= before) this.#close(path, fd);
    }
    this.#sweeping = false;
  }
}
