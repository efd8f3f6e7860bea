import type { Reply } from "../../wire/http1/reply.ts";
import type { Trailer } from "../../wire/http1/trailers.ts";

/** Why an exchange came to nothing, as one word for logs and metrics. */
export type AskFailure =
  /** The server closed or reset the connection before its response was whole. */
  | "closed"
  /** It was silent for too long. */
  | "timeout"
  /** What it sent is no response we take: framed in two ways, malformed, too long a head. */
  | "bad";

/**
 * Who is told of a response, on the reactor's turn. After `end` or `failed` nothing more is told.
 * Offsets and the `reply` are good until the call returns: copy what must last.
 */
export interface Asker {
  /** A 1xx other than 101: the response itself is still to come. */
  interim(reply: Reply): void;
  /** The head. A body follows as `reply.body` says; after 101 what follows is the other protocol. */
  head(reply: Reply): void;
  /** Bytes of the body, without transfer coding. */
  data(bytes: Uint8Array, from: number, to: number): void;
  /** All that has come so far is told. */
  lull(): void;
  /** The response is whole. */
  end(trailers: readonly Trailer[]): void;
  /** `untouched`: no byte of a response came. */
  failed(why: AskFailure, untouched: boolean): void;
  /** All that was sent has left: there is room for more of the request's body. */
  room(): void;
}
