/** Where a site's files come from: a directory tree on disk, or the executable itself. */
import type { Refusal } from "./tree.ts";

/** What tells one state of a file from another, and what its fields are made of. */
export interface Facts {
  readonly size: number;
  /** Milliseconds since 1970, with fractions. */
  readonly mtimeMs: number;
  /** Differs whenever the content may. */
  readonly identity: string;
}

/** A file that has been opened. `fd` is the caller's to close; "bytes" are in memory already. */
export type Opened =
  | ({ readonly kind: "file"; readonly fd: number } & Facts)
  | ({ readonly kind: "bytes"; readonly bytes: Uint8Array } & Facts);

/** One line of a directory listing. */
export interface Entry {
  readonly name: string;
  readonly directory: boolean;
  readonly size: number;
  readonly mtimeMs: number;
}

/** Paths are decoded, begin with "/" and hold no dot segments. */
export interface Origin {
  /** Open the regular file at `path`. Throws only for what the system is at fault for: EMFILE, EIO. */
  open(path: string): Opened | "directory" | Refusal;
  /** Facts of the regular file at `path` as it is now, without opening it; undefined when there is none. */
  facts(path: string): Facts | undefined;
  /** What a directory may show, in no order; undefined when it cannot be listed. */
  list(path: string): Promise<Entry[] | undefined>;
  /** Has everything moved since the last call (the root is another directory now)? */
  moved(): boolean;
}
