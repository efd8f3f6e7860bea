import type { AskFailure } from "./asker.ts";
import type { UploadFailure } from "./upload.ts";

/** The exchange came to nothing, or its body broke off. */
export class AskError extends Error {
  override name = "AskError";
  constructor(
    readonly why: AskFailure | UploadFailure,
    /** No byte of a response came. */
    readonly untouched: boolean,
    /** The connection had served others: the server may just have been tired of it. */
    readonly reused: boolean,
  ) {
    super(MESSAGES[why]);
  }
}

const MESSAGES = {
  closed: "the server closed the connection before its response was whole",
  timeout: "the server was silent for too long",
  bad: "the server's response is malformed",
  gone: "the client left in the middle of its request",
  large: "the request's body is longer than it may be",
  short: "the request's body is shorter than it was said to be",
};
