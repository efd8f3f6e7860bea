/** How much: bytes and files, of which copies are not counted. */
import type { Version } from "../record.ts";

/** What is stored. */
export interface Amount {
  readonly bytes: number;
  readonly files: number;
}

/** What has changed, and when it last did. */
export interface Change extends Amount {
  /** Milliseconds since 1970. */
  readonly at: number;
}

export const NOTHING: Amount = { bytes: 0, files: 0 };

export function plus(a: Amount, b: Amount): Amount {
  return { bytes: a.bytes + b.bytes, files: a.files + b.files };
}

/** What was counted a moment apart may add up to less than nothing. */
export function atLeastNothing({ bytes, files }: Amount): Amount {
  return { bytes: Math.max(0, bytes), files: Math.max(0, files) };
}

/** What more is stored when `after` takes the place of `before`. */
export function growth(before: Version | undefined, after: Version): Amount {
  const amount = (of: Version | undefined): Amount =>
    of === undefined || of.kind === "deleted" ? NOTHING : { bytes: of.size, files: 1 };
  const [was, is] = [amount(before), amount(after)];
  return { bytes: is.bytes - was.bytes, files: is.files - was.files };
}
