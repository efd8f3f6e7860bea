import { hashText } from "../../core/schedulers/hash.ts";
import type { Client, ConnectFailure, Server } from "../../net/pools/pool.ts";
import type { Answer } from "../../net/upstream/answer.ts";
import type { AskError } from "../../net/upstream/ask-error.ts";
import type { UpstreamConnection } from "../../net/upstream/connection.ts";
import { UpstreamExchange } from "../../net/upstream/exchange.ts";
import type { Questioner } from "../../net/upstream/questioner.ts";
import type { Seeker } from "../../net/upstream/upstream.ts";
import { Later, respond } from "../../wire/http/message.ts";
import type { Errand, NoAnswer } from "./errand.ts";

/** Methods that may be asked twice (RFC 9110, 9.2.2). */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);
/** What may not be asked twice goes only over a connection that was used so lately that it is surely open. */
const SURELY_OPEN_MS = 1000;
/** Nobody hears it; logs may. */
const CLIENT_GONE = 499;
const CONNECT_STATUS: { readonly [why: string]: 503 | 504 } = { exhausted: 503, timeout: 504 };
const FAILURE_STATUS = {
  closed: 502,
  bad: 502,
  timeout: 504,
  large: 413,
  short: 400,
  gone: CLIENT_GONE,
} as const;
/** What a broken exchange says of its server, if anything. "bad" may be the fault of one page. */
const FAILURE_WORD = {
  closed: "reset",
  bad: "error",
  timeout: "timeout",
  large: undefined,
  short: undefined,
  gone: undefined,
} as const;

const NOBODY: readonly Server[] = [];

/** A request on its way to one server after another, until one answers. */
export class Forwarder extends Later implements Client, Seeker, Questioner {
  readonly #errand: Errand;
  /** It may be asked twice, as far as its method and body go. */
  readonly #twice: boolean;
  #tried: readonly Server[] = NOBODY;
  #server: Server | undefined;
  #exchange: UpstreamExchange | undefined;
  #stopDialling: (() => void) | undefined;
  #done = false;

  constructor(errand: Errand) {
    super();
    const { request } = errand;
    this.#errand = errand;
    const replays = request.body === undefined || errand.replays === true;
    this.#twice = IDEMPOTENT.has(request.method) && replays;
  }

  get address(): string {
    return this.#errand.request.client.address;
  }
  get hash(): number {
    const { request, pool } = this.#errand;
    return hashText(pool.hashes === "url" ? request.host + request.target : this.address);
  }

  /** Ask. Once. */
  begin(): void {
    this.#errand.request.whenGone(this.#gone);
    this.#next({ status: 503, why: "no server is up" });
  }

  // What the dialer tells.

  ready(connection: UpstreamConnection, tookMs: number): void {
    this.#stopDialling = undefined;
    this.#server?.connected(tookMs, false);
    this.#errand.connected?.(tookMs);
    this.#ask(connection);
  }

  unreachable(why: ConnectFailure | "exhausted"): void {
    this.#stopDialling = undefined;
    const server = this.#server;
    if (server === undefined) return;
    // Out of files or ports: that is our own fault, and the next may be reached all the same.
    if (why === "exhausted") server.closed();
    else server.failed(why);
    this.#tried = [...this.#tried, server];
    const status = CONNECT_STATUS[why] ?? 502;
    const failure: NoAnswer = { status, why: `${server.name}: ${why}` };
    if (this.#mayRetry(why === "timeout" ? "timeout" : "connect") && this.#again())
      this.#next(failure);
    else this.#fail(failure);
  }

  // What the exchange tells.

  interim(status: number, headers: Answer["headers"]): void {
    if (status !== 100) this.#errand.request.interim?.(status, headers);
  }

  answered(answer: Answer): void {
    const server = this.#server;
    const exchange = this.#exchange;
    if (server === undefined || exchange === undefined) return;
    const { retry } = this.#errand.pool;
    const status = answer.status < 400 ? "" : `${answer.status}`;
    if (status === "" || !retry.on.has(status)) server.answered();
    else if (this.#twice && this.#mayRetry(status)) {
      const next = this.#choose([...this.#tried, server]);
      if (next !== undefined && next !== "full" && this.#again()) {
        this.#tried = [...this.#tried, server];
        exchange.cancel();
        return this.#go(next);
      }
    }
    this.#done = true;
    this.answer(this.#errand.answered(answer, server, exchange));
  }

  failed(error: AskError): void {
    const server = this.#server;
    if (server === undefined || this.#done) return;
    // An idle connection that the server closed in the moment it was used: nobody's fault.
    if (this.#idleClosed(error)) return this.#go(server);
    this.#tried = [...this.#tried, server];
    const failure: NoAnswer = {
      status: FAILURE_STATUS[error.why],
      why: `${server.name}: ${error.message}`,
    };
    if (FAILURE_WORD[error.why] === undefined) return this.#fail(failure); // no other could do better
    const word = error.why === "timeout" ? "timeout" : "connect";
    if (this.#twice && this.#mayRetry(word) && this.#again()) this.#next(failure);
    else this.#fail(failure);
  }

  over(sent: number, received: number, failure: AskError | undefined): void {
    const server = this.#server;
    if (server === undefined) return;
    server.transferred(sent, received);
    const word = failure && !this.#idleClosed(failure) ? FAILURE_WORD[failure.why] : undefined;
    if (word === undefined) server.closed();
    else server.failed(word, "answer");
    if (this.#done) this.#errand.over?.();
  }

  #idleClosed({ why, untouched, reused }: AskError): boolean {
    return this.#twice && reused && untouched && why === "closed";
  }

  #mayRetry(why: string): boolean {
    const { attempts, on } = this.#errand.pool.retry;
    return this.#tried.length <= attempts && on.has(why);
  }

  /** Ask the next server, or give up for the reason that the last one gave. */
  #next(failure: NoAnswer): void {
    if (this.#done) return;
    const server = this.#choose(this.#tried);
    if (server === undefined) return this.#fail(failure);
    if (server !== "full") return this.#go(server);
    const { pool, request } = this.#errand;
    void pool.queue(this, request.signal).then((found) => {
      if (this.#done) {
        found?.connecting(); // it counts on that
        found?.closed();
      } else if (found === undefined) this.#fail({ status: 503, why: "every server is full" });
      else this.#go(found);
    });
  }

  #again(): boolean {
    return this.#errand.again?.() ?? true;
  }

  #choose(tried: readonly Server[]): Server | undefined | "full" {
    const { pool, keeper } = this.#errand;
    if (keeper !== undefined && tried.length === 0) {
      const kept = pool.keeper(keeper);
      if (kept !== undefined) return kept;
    }
    return pool.choose(this, tried);
  }

  #go(server: Server): void {
    const { upstream } = this.#errand;
    this.#server = server;
    this.#exchange = undefined;
    server.connecting();
    const idle = upstream.reuse(server, this.#twice ? Infinity : SURELY_OPEN_MS);
    if (idle !== undefined) this.#ask(idle);
    else this.#stopDialling = upstream.connect(server, this);
  }

  #ask(connection: UpstreamConnection): void {
    const server = this.#server;
    if (server === undefined) return;
    const exchange = new UpstreamExchange(connection, this);
    this.#exchange = exchange;
    exchange.begin(this.#errand.outgoing(server));
  }

  #fail(failure: NoAnswer): void {
    if (this.#done) return;
    this.#done = true;
    this.#errand.over?.();
    this.answer(this.#errand.failed(failure));
  }

  readonly #gone = (): void => {
    if (this.#done) return; // whoever takes the body hears of it
    this.#done = true;
    if (this.#stopDialling !== undefined) {
      this.#stopDialling();
      this.#server?.closed();
      this.#errand.over?.();
    } else if (this.#exchange?.over === false) this.#exchange.cancel();
    else this.#errand.over?.(); // it waits in a queue
    this.answer(respond(CLIENT_GONE));
  };
}
