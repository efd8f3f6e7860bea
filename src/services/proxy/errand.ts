import type { Pool, Server } from "../../net/pools/pool.ts";
import type { Answer } from "../../net/upstream/answer.ts";
import type { Outgoing } from "../../net/upstream/request-head.ts";
import type { Upstream } from "../../net/upstream/upstream.ts";
import type { HttpRequest, HttpResponse } from "../../wire/http/message.ts";

/** Nobody answered: what the client is told, and why, for the log. */
export interface NoAnswer {
  readonly status: 400 | 413 | 499 | 502 | 503 | 504;
  readonly why: string;
}

/** Something that may be given up. */
export interface Cancellable {
  cancel(): void;
}

/** What is to be done with a request. */
export interface Errand {
  readonly request: HttpRequest;
  readonly pool: Pool;
  readonly upstream: Upstream;
  /** The request as this server is to see it. */
  outgoing(server: Server): Outgoing;
  /** What the client gets of a server's answer. When another is given, the exchange is cancelled. */
  answered(answer: Answer, server: Server, exchange: Cancellable): HttpResponse;
  /** What it gets when there is none. */
  failed(failure: NoAnswer): HttpResponse;
  /** Its body can be sent again. */
  readonly replays?: boolean;
  /** Is this the server that the client comes back to? Undefined when it says nothing of it. */
  readonly keeper?: ((server: Server) => boolean) | undefined;
  /** May it be asked again, as far as all others go? If so, that counts. */
  again?(): boolean;
  /** A new connection stands. */
  connected?(tookMs: number): void;
  /** Nothing is in hand for it any more. Called once. */
  over?(): void;
}
