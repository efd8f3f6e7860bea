import { hashText } from "../../core/schedulers/hash.ts";
import type { Client, Pool, Server } from "../../net/pools/pool.ts";
import type { UpstreamConnection } from "../../net/upstream/connection.ts";
import { type Answer, AskError, UpstreamExchange } from "../../net/upstream/exchange.ts";
import type { Outgoing } from "../../net/upstream/request-head.ts";
import type { Upstream } from "../../net/upstream/upstream.ts";
import type { HttpRequest } from "../../wire/http/message.ts";

/** Methods that may be asked twice (RFC 9110, 9.2.2). */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);
/** What may not be asked twice goes only over a connection that was used so lately that it is surely open. */
const SURELY_OPEN_MS = 1000;
const FAILURE_STATUS = { closed: 502, bad: 502, timeout: 504 } as const;

/** Nobody answered: what the client is told, and why, for the log. */
export class NoAnswer extends Error {
  override name = "NoAnswer";
  constructor(
    readonly status: 502 | 503 | 504,
    why: string,
  ) {
    super(why);
  }
}

/** A request on its way to one server after another, until one answers. */
export class Forwarder implements Client {
  readonly hash: number;
  readonly address: string;
  readonly #request: HttpRequest;
  readonly #pool: Pool;
  readonly #upstream: Upstream;
  readonly #outgoing: (server: Server) => Outgoing;
  readonly #tried: Server[] = [];
  #gone = false;
  #giveUp: (() => void) | undefined;

  constructor(
    request: HttpRequest,
    pool: Pool,
    upstream: Upstream,
    outgoing: (server: Server) => Outgoing,
  ) {
    this.#request = request;
    this.#pool = pool;
    this.#upstream = upstream;
    this.#outgoing = outgoing;
    this.address = request.client.address;
    this.hash = hashText(pool.hashes === "url" ? request.host + request.target : this.address);
  }

  /** Resolves with the first answer that will do. Rejects with NoAnswer. */
  async answer(): Promise<Answer> {
    this.#request.whenGone(() => {
      this.#gone = true;
      this.#giveUp?.();
    });
    let failure = new NoAnswer(503, "no server is up");
    while (!this.#gone) {
      const server = await this.#choose();
      if (server === undefined) break;
      try {
        const answer = await this.#ask(server);
        if (!this.#mayRetry(`${answer.status}`)) return answer;
        const body = answer.body();
        if (body.kind === "flow") body.flow.cancel();
        failure = new NoAnswer(502, `${server.name} answered ${answer.status}`);
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        failure = error;
        const why = error.status === 504 ? "timeout" : "connect";
        if (this.#sent || !this.#mayRetry(why)) break;
      }
      this.#tried.push(server);
    }
    throw failure;
  }

  /** The answer is not wanted after all. */
  giveUp(): void {
    this.#giveUp?.();
  }

  /** The request, or some of it, is with a server that may have done what it asks. */
  #sent = false;

  #mayRetry(why: string): boolean {
    const { attempts, on } = this.#pool.retry;
    const replayable = this.#request.body === undefined || why === "connect";
    return this.#tried.length < attempts && on.has(why) && replayable;
  }

  async #choose(): Promise<Server | undefined> {
    const server = this.#pool.choose(this, this.#tried);
    return server === "full" ? this.#pool.queue(this, this.#request.signal) : server;
  }

  async #ask(server: Server): Promise<Answer> {
    const { method, body } = this.#request;
    const twice = IDEMPOTENT.has(method) && body === undefined;
    server.connecting();
    let connection = this.#upstream.reuse(server, twice ? Infinity : SURELY_OPEN_MS);
    for (;;) {
      connection ??= await this.#connect(server);
      if (this.#gone) {
        connection.leave();
        server.closed();
        throw new NoAnswer(502, "the client is gone");
      }
      try {
        return await this.#exchange(server, connection);
      } catch (error) {
        if (!(error instanceof AskError)) throw error;
        // An idle connection that the server closed in the moment it was used: nobody's fault.
        if (error.reused && error.untouched && error.why === "closed" && twice) {
          connection = undefined;
          continue;
        }
        server.closed();
        this.#sent = !twice;
        throw new NoAnswer(FAILURE_STATUS[error.why], `${server.name}: ${error.message}`);
      }
    }
  }

  #connect(server: Server): Promise<UpstreamConnection> {
    return new Promise((resolve, reject) => {
      this.#giveUp = this.#upstream.connect(server, {
        ready: (connection, tookMs) => {
          this.#giveUp = undefined;
          server.connected(tookMs);
          resolve(connection);
        },
        unreachable: (why) => {
          this.#giveUp = undefined;
          server.failed(why === "exhausted" ? "error" : why);
          const status = why === "timeout" ? 504 : 502;
          reject(new NoAnswer(status, `${server.name}: ${why}`));
        },
      });
    });
  }

  async #exchange(server: Server, connection: UpstreamConnection): Promise<Answer> {
    let answered = false;
    const exchange = new UpstreamExchange(connection, this.#outgoing(server), {
      over(sent, received) {
        server.transferred(sent, received);
        if (answered) server.closed();
      },
    });
    this.#giveUp = () => exchange.cancel();
    const answer = await exchange.answer;
    answered = true;
    if (exchange.over) server.closed();
    return answer;
  }
}
