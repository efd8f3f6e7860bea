import { closeSync, constants, fsync, openSync } from "node:fs";
import { promisify } from "node:util";

const { O_DIRECTORY, O_RDONLY } = constants;

/**
 * Names that are to be on disk, for many who wait: what came before a sync began goes with it, and
 * all who come while it is under way share the next one.
 */
export class DirectorySyncs {
  /** By path, the one that is under way, and the one after it. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  /** The names that are in directory `path` now are on disk when it resolves. */
  sync(path: string): Promise<void> {
    const running = this.#running.get(path);
    if (running === undefined) return this.#start(path);
    const waiting = this.#next.get(path);
    if (waiting !== undefined) return waiting;
    const next = running
      .catch(() => {}) // its own callers hear of it
      .then(() => {
        this.#next.delete(path);
        return this.#start(path);
      });
    this.#next.set(path, next);
    return next;
  }

  #start(path: string): Promise<void> {
    const run = syncNow(path).finally(() => {
      if (this.#running.get(path) === run) this.#running.delete(path);
    });
    this.#running.set(path, run);
    return run;
  }
}

async function syncNow(path: string): Promise<void> {
  const fd = openSync(path, O_RDONLY | O_DIRECTORY);
  try {
    await promisify(fsync)(fd);
  } finally {
    closeSync(fd);
  }
}
