import { dirname, resolve } from "node:path";

import type { SocketOptions } from "../core/socket-options.ts";

/** What the words of a config mean, besides what they say: where files are, what the defaults are. */
export interface Surroundings {
  /** Directory that relative paths are from; undefined leaves them as they are. */
  readonly base: string | undefined;
  /** The text behind `env:NAME` or `file:PATH`; throws an Error that says why there is none. */
  reveal(reference: Reference): string;
  /** Can this machine check passwords against this hash? */
  verifies(hash: string): boolean;
  /** What a listener's `socket:` adds to. */
  readonly socket: SocketOptions | undefined;
}

export type Reference =
  | { readonly kind: "env"; readonly name: string }
  | { readonly kind: "file"; readonly path: string };

const NOWHERE: Surroundings = {
  base: undefined,
  socket: undefined,
  verifies: () => true,
  reveal: () => {
    throw new Error("references are only read from a config file");
  },
};

let current = NOWHERE;

/**
 * Run a validation in these surroundings. Schemas are plain values made once and valibot hands
 * them nothing but the input, so what they need to know stands here while they run; that is
 * sound because validation is synchronous.
 */
export function within<T>(surroundings: Surroundings, validate: () => T): T {
  const before = current;
  current = surroundings;
  try {
    return validate();
  } finally {
    current = before;
  }
}

/** Where the running validation takes place. */
export function surroundings(): Surroundings {
  return current;
}

/** A path as the config writes it, made absolute: relative ones are from the config file. */
export function resolvePath(path: string): string {
  return current.base === undefined ? path : resolve(current.base, path);
}

/** Directory of a config file. */
export function baseOf(file: string): string {
  return dirname(resolve(file));
}
