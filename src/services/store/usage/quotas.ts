/** The most that may be stored below prefixes. */
import type { Amount } from "./amount.ts";

/** Whatever is stored. */
export const ALL = "/";

/** By prefix, with the most that it may be. */
export type UsageFigures = Readonly<Record<string, Amount & { readonly quota_bytes?: number }>>;

export class Quotas {
  readonly #limits: ReadonlyMap<string, number>;
  /** What is counted: all, and below each of them. */
  readonly prefixes: readonly string[];

  /** Most bytes by prefix. */
  constructor(limits: Readonly<Record<string, number>>) {
    this.#limits = new Map(Object.entries(limits));
    this.prefixes = [...new Set([ALL, ...this.#limits.keys()])].toSorted();
  }

  /** Those that a path is below. */
  around(path: string): string[] {
    return this.prefixes.filter((prefix) => path.startsWith(prefix));
  }

  /** Bytes that may still be stored at `path`, when there is so much; Infinity: no quota is for it. */
  room(path: string, of: (prefix: string) => Amount): number {
    let room = Infinity;
    for (const [prefix, limit] of this.#limits)
      if (path.startsWith(prefix)) room = Math.min(room, limit - of(prefix).bytes);
    return Math.max(0, room);
  }

  figures(of: (prefix: string) => Amount): UsageFigures {
    return Object.fromEntries(
      this.prefixes.map((prefix) => {
        const quota = this.#limits.get(prefix);
        return [prefix, { ...of(prefix), ...(quota !== undefined && { quota_bytes: quota }) }];
      }),
    );
  }
}
