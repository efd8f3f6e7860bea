import { hashText } from "../../core/schedulers/hash.ts";
import type { Remote } from "../../net/http1/plain-transport.ts";
import type { Client, ConnectFailure, Pool, Server } from "../../net/pools/pool.ts";
import type { Caller } from "../../net/tcp/dialer.ts";
import type { RelayEnd, RelayOwner } from "../../net/tcp/relay-terms.ts";
import type { Balancer } from "./balancer.ts";

/** Why a client that was let in never got a server. */
export type Unserved =
  /** Nobody is eligible, or all who are were tried. */
  | "no server"
  /** Everybody had as many connections as they may, for too long or with too many waiting. */
  | "queue"
  /** We are out of files or ports. */
  | "exhausted"
  /** No handshake, or nothing that is served here was asked for. */
  | "tls"
  | "killed"
  | "stopped";

/** How a connection ended. */
export type End = RelayEnd | Unserved;

/** What a connection is at. */
export type Step = "greeting" | "waiting" | "dialling" | "open" | "over";

/**
 * One client, from the moment it is let in: greeted by the service's way, sent to servers until
 * one answers, joined with it. Its first bytes stay in the kernel until then, so that the next
 * server gets them as the first would have.
 */
export class Connection implements Client, Caller, RelayOwner {
  readonly id: number;
  /** The client's socket. */
  readonly client: number;
  readonly remote: Remote;
  /** In the reactor's time. */
  readonly began: number;
  step: Step = "greeting";
  pool: Pool | undefined;
  server: Server | undefined;
  /** Bytes from the client, and to it. */
  up = 0;
  down = 0;
  /** For a way that has more to know of it. */
  carried: unknown;
  readonly #home: Balancer;
  #tried: Server[] | undefined;
  #dialling = -1;
  #tookMs = 0;
  #waiting: AbortController | undefined;

  constructor(home: Balancer, id: number, client: number, remote: Remote, now: number) {
    this.#home = home;
    this.id = id;
    this.client = client;
    this.remote = remote;
    this.began = now;
  }

  get address(): string {
    return this.remote.address;
  }
  get hash(): number {
    return hashText(this.remote.address);
  }
  /** The name of the service it came to. */
  get service(): string {
    return this.#home.name;
  }

  /** The way has greeted: find it a server of `pool`. */
  proceed(pool: Pool): void {
    if (this.step !== "greeting") return;
    this.pool = pool;
    this.#choose(pool);
  }

  /** It gets no server: the client's side is closed. */
  fail(why: Unserved): void {
    if (this.step === "over" || this.step === "open") return;
    if (this.#dialling >= 0) this.#home.dialer.cancel(this.#dialling);
    this.#waiting?.abort();
    this.server?.closed();
    this.#dialling = -1;
    this.#home.way.drop(this);
    this.#over(why);
  }

  /** End it, whatever it is at. `abort`: by a RST. */
  end(why: "killed" | "stopped", abort: boolean): void {
    if (this.step === "open") this.#home.way.end(this, why, abort);
    else this.fail(why);
  }

  #choose(pool: Pool): void {
    const server = pool.choose(this, this.#tried);
    if (server === undefined) this.fail("no server");
    else if (server === "full") void this.#wait(pool);
    else this.#dial(server);
  }

  async #wait(pool: Pool): Promise<void> {
    this.step = "waiting";
    this.#waiting = new AbortController();
    const server = await pool.queue(this, this.#waiting.signal);
    this.#waiting = undefined;
    if (this.step !== "waiting") return; // it ended meanwhile
    if (server === undefined) this.fail("queue");
    else this.#dial(server);
  }

  #dial(server: Server): void {
    const { dialer, config, way } = this.#home;
    const eager = config.send_proxy !== "off" || (way.eager?.(this) ?? false);
    const to = this.#home.destination(server);
    const answer =
      to === undefined ? "unreachable" : dialer.dial(to, config.connect_timeout, this, eager);
    if (answer === "exhausted") return this.fail("exhausted");
    this.step = "dialling";
    this.server = server;
    server.connecting();
    if (typeof answer === "number") this.#dialling = answer;
    else this.unreachable(answer);
  }

  /** The dialer's word: not this one. The next is asked, and the client does not notice. */
  unreachable(why: ConnectFailure | "exhausted"): void {
    const { server, pool } = this;
    this.#dialling = -1;
    if (why === "exhausted") return this.fail(why); // no server is to blame
    this.server = undefined;
    if (server === undefined || pool === undefined) return;
    server.failed(why);
    this.#tried = [...(this.#tried ?? []), server];
    const { attempts, on } = pool.retry;
    const again = this.#tried.length <= attempts && on.has(why === "timeout" ? why : "connect");
    if (again) this.#choose(pool);
    else this.fail("no server");
  }

  /** The dialer's word: here it is. */
  connected(fd: number, tookMs: number, events: number): void {
    this.#dialling = -1;
    this.#tookMs = tookMs;
    if (!this.#home.way.shakes) this.reached(0);
    this.#home.join(this, fd, events);
  }

  /** The server will do, `moreMs` after it was connected. */
  reached(moreMs: number): void {
    this.step = "open";
    this.#tried = undefined;
    this.server?.connected(this.#tookMs + moreMs);
  }

  moved(up: number, down: number): void {
    this.up += up;
    this.down += down;
    this.server?.transferred(up, down);
    this.#home.sessions.moved(up, down);
  }

  over(why: RelayEnd): void {
    this.server?.closed();
    this.#over(why);
  }

  #over(why: End): void {
    if (this.step === "over") return;
    this.step = "over";
    this.#home.left(this, why);
  }
}
