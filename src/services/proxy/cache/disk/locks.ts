import { closeSync, openSync, statSync, unlinkSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";

import { fileOf, NEW } from "./place.ts";

/** How often whoever waits looks again. */
const LOOK_MS = 10;

/**
 * Which worker fetches what, so that others wait for it instead of fetching it too: a file for each,
 * that only one of them can make. It is a courtesy: who cannot make one, or has waited for long
 * enough, fetches.
 */
export class Locks {
  readonly #root: string;
  readonly #patience: number;

  /** `patience`: a lock that is older was left by somebody who is no more. Milliseconds. */
  constructor(root: string, patience: number) {
    this.#root = root;
    this.#patience = patience;
  }

  /** False when another worker has it. */
  take(place: string): boolean {
    try {
      closeSync(openSync(this.#path(place), "wx", 0o600));
      return true;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== "EEXIST" || this.#isOld(place);
    }
  }

  free(place: string): void {
    try {
      unlinkSync(this.#path(place));
    } catch {} // it was taken for one left behind
  }

  /** Resolves when the other worker is done, or nobody need wait for it any longer. */
  async gone(place: string, wall: () => number): Promise<void> {
    const end = wall() + this.#patience;
    const path = this.#path(place);
    while (wall() < end) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      const there = await stat(path).catch(() => undefined); // gone
      if (there === undefined) return;
    }
  }

  #isOld(place: string): boolean {
    const there = statSync(this.#path(place), { throwIfNoEntry: false });
    return there === undefined || Date.now() - there.mtimeMs > this.#patience;
  }

  #path(place: string): string {
    return join(this.#root, NEW, `lock-${fileOf(place).replace("/", "")}`);
  }
}
