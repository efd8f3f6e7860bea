import type { Answer } from "../../../net/upstream/answer.ts";
import type { AskError } from "../../../net/upstream/ask-error.ts";
import type { UpstreamConnection } from "../../../net/upstream/connection.ts";
import { UpstreamExchange } from "../../../net/upstream/exchange.ts";
import type { Questioner } from "../../../net/upstream/questioner.ts";
import { type Outgoing, requestHead } from "../../../net/upstream/request-head.ts";
import type { Address, Seeker, Upstream } from "../../../net/upstream/upstream.ts";
import { DirectAnswer } from "./direct-answer.ts";
import { MemberError, STALL_MS } from "./member.ts";

/** Longest silence of a server that has a whole body, and puts it on disk before it answers. */
const KEEP_MS = 6 * STALL_MS;
/** Switching Protocols (RFC 9110, 15.2.2). */
const SWITCHING = 101;

export interface DirectRequest {
  readonly method: string;
  /** Path, escaped. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A stream is sent once. */
  readonly body?: Uint8Array | ReadableStream<Uint8Array> | undefined;
  /** Bytes of a stream; undefined: it is sent in chunks. */
  readonly size?: number | undefined;
}

/** How to get to the server. */
export interface Ways {
  readonly upstream: Upstream;
  /** Host and port, as its requests name it. */
  readonly authority: string;
  /** A connection that others have left. */
  reuse(): UpstreamConnection | undefined;
  /** Where it can be dialled, in the order to try. Rejects when nobody knows its name. */
  addresses(): Promise<readonly Address[]>;
}

/** Who waits. `over`: the exchange has ended, or never will be. */
export interface Waiting {
  resolve(answer: DirectAnswer): void;
  reject(error: MemberError): void;
  over(): void;
}

/** One request, until its answer's body has come. */
export class Errand implements Questioner, Seeker {
  readonly #ways: Ways;
  readonly #request: DirectRequest;
  readonly #waiting: Waiting;
  #addresses: readonly Address[] = [];
  #giveUp: (() => void) | undefined;
  #exchange: UpstreamExchange | undefined;
  #answer: DirectAnswer | undefined;
  #cancelled = false;

  constructor(ways: Ways, request: DirectRequest, waiting: Waiting) {
    this.#ways = ways;
    this.#request = request;
    this.#waiting = waiting;
  }

  begin(): void {
    // What can be sent once only goes where nobody may be about to hang up.
    const idle = this.#streams ? undefined : this.#ways.reuse();
    if (idle === undefined) void this.#connect();
    else this.#send(idle);
  }

  /** Nobody wants the answer, or the rest of it. */
  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#giveUp?.();
    if (this.#answer !== undefined) this.#answer.close();
    else this.#exchange?.cancel();
    this.#failed("given up");
  }

  ready(connection: UpstreamConnection): void {
    this.#send(connection);
  }

  unreachable(why: string, detail?: string): void {
    this.#next(detail === undefined ? why : `${why}: ${detail}`);
  }

  answered(answer: Answer): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return; // it is what answers
    if (answer.status === SWITCHING) {
      // Nobody asked for that, and what comes now has no end.
      exchange.cancel();
      return this.#failed("it changes the protocol");
    }
    this.#answer = new DirectAnswer(answer, exchange);
    this.#waiting.resolve(this.#answer);
  }

  failed({ why, message, untouched, reused }: AskError): void {
    // It was tired of waiting for us. Who is silent is so on a new connection, too.
    const tired = why === "closed" && untouched && reused;
    if (tired && !this.#streams && !this.#cancelled) void this.#connect();
    else this.#failed(message);
  }

  over(_sent: number, _received: number, failure: AskError | undefined): void {
    // Otherwise `failed` is called, and may try again.
    if (failure === undefined || this.#answer !== undefined) this.#waiting.over();
  }

  get #streams(): boolean {
    return this.#request.body instanceof ReadableStream;
  }

  async #connect(): Promise<void> {
    try {
      this.#addresses = await this.#ways.addresses();
    } catch (error) {
      return this.#failed(error instanceof Error ? error.message : String(error));
    }
    this.#next("it has no address");
  }

  /** Dial the next address; there is none when all have failed, at last because of `why`. */
  #next(why: string): void {
    if (this.#cancelled) return;
    const [address, ...others] = this.#addresses;
    if (address === undefined) return this.#failed(why);
    this.#addresses = others;
    // Whatever it calls, it may call before it answers; to give up what is over does nothing.
    this.#giveUp = this.#ways.upstream.connect(address, this);
  }

  #send(connection: UpstreamConnection): void {
    this.#exchange = new UpstreamExchange(connection, this);
    this.#exchange.begin(this.#outgoing());
  }

  #outgoing(): Outgoing {
    const { method, target, headers, body: given, size: length } = this.#request;
    const [body, behind] = given instanceof ReadableStream ? [given] : [undefined, given];
    const fields = [["Host", this.#ways.authority] as const, ...Object.entries(headers)];
    const asked = requestHead({ method, target, headers: fields, body, length, behind });
    const head = behind === undefined ? asked : Buffer.concat([asked, behind]); // it leaves at once
    const readTimeout = body === undefined ? STALL_MS : KEEP_MS;
    return { head, headEnd: head.length, method, body, length, readTimeout };
  }

  #failed(why: string): void {
    this.#waiting.reject(new MemberError("away", why));
    this.#waiting.over();
  }
}
