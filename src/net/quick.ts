import type { FileSlice } from "../wire/http/message.ts";
import type { Head } from "../wire/http1/head.ts";

/**
 * A whole response made ahead, that the HTTP/1 writer sends as it is. `head` runs from the status
 * line to the blank line; what it says of the time is good for one second, and its maker's to keep
 * true. No Connection field: when the connection is to close, the writer sends `closing`, the same
 * head with `Connection: close`.
 */
export interface Prepared {
  readonly status: number;
  /** The second since 1970 that the heads tell. */
  readonly stamp: number;
  /** Make them tell this one. */
  refresh(now: Second): void;
  /** `head` and `body` in one, of which they are views; undefined when the body is too large for it. */
  readonly packet: Uint8Array | undefined;
  readonly head: Uint8Array;
  readonly closing: Uint8Array;
  /** Empty for 304, and for bodies that are somewhere else. */
  readonly body: Uint8Array;
  /** A body of no more than 64 KiB that is copied from where it lies. */
  readonly source?: CopySource | undefined;
  /** A body sent from a file instead. The file stays open at least until `sent` is called. */
  readonly file: FileSlice | undefined;
  /** Called when a file body begins and ends to be sent, so that its handle is not closed meanwhile. */
  hold?(): void;
  drop?(): void;
}

/** Bytes that are not ours to point to. */
export interface CopySource {
  readonly length: number;
  /** Copy all of them to `into`, from `at` on. */
  copyTo(into: Uint8Array, at: number): void;
}

/** A second since 1970, and its Date: 29 bytes. */
export interface Second {
  readonly second: number;
  readonly bytes: Uint8Array;
}

/**
 * Look for a response made ahead. Runs for every GET and HEAD before anything else, so: no
 * allocation, no system call, no promise. Undefined sends the request down the full path.
 */
export type Quick = (head: Head, now: number) => Prepared | undefined;
