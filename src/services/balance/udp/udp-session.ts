import { hashText } from "../../../core/schedulers/hash.ts";
import type { Remote } from "../../../net/http1/plain-transport.ts";
import type { Client, Pool, Server } from "../../../net/pools/pool.ts";
import { READABLE } from "../../../net/reactor.ts";
import { MAX_DATAGRAM } from "../../../sys/datagram-queue.ts";
import type { Route } from "../../../sys/datagram-route.ts";
import { dialDatagram } from "../../../sys/dial.ts";
import { address, block } from "../../../sys/memory.ts";
import * as socket from "../../../sys/socket.ts";
import type { SessionRow } from "../session-list.ts";
import type { UdpBalancer } from "./udp-balancer.ts";
import type { ClientKey, UdpClient } from "./udp-client.ts";
import type { UdpGate } from "./udp-gate.ts";

/** A server that is out of the pool, and has not answered for so long, is given up. */
const UNANSWERED_MS = 1000;
const NONE = -1;
const EMPTY = block(1);

/**
 * One client, by address and port, and its server: a socket connected to that, so that the kernel
 * knows whose answers are whose, and tells when nobody listens there.
 */
export class UdpSession implements Client {
  readonly id: number;
  readonly remote: Remote;
  /** The way back to the client. */
  readonly route: Route;
  readonly began: number;
  /** When a datagram last went, in the reactor's time. */
  lastActive: number;
  server: Server | undefined;
  up = 0;
  down = 0;
  /** Under which the gate keeps it. */
  readonly key: ClientKey;
  /** The config it was begun under. */
  readonly #home: UdpBalancer;
  readonly #gate: UdpGate;
  #fd = NONE;
  #tried: Server[] = [];
  /** Until the server answers: what it was sent last, for the next server. */
  #unanswered: Uint8Array | undefined;
  #answered = false;
  /** When the first of the datagrams that are not answered was sent; 0: all are. */
  #waitsSince = 0;
  /** Answers still to come, of services that know how many. */
  #expected = 0;
  #over = false;

  constructor(home: UdpBalancer, gate: UdpGate, id: number, { key, remote, route }: UdpClient) {
    this.#home = home;
    this.#gate = gate;
    this.id = id;
    this.key = key;
    this.remote = remote;
    this.route = route;
    this.began = gate.reactor.now;
    this.lastActive = this.began;
  }

  get address(): string {
    return this.remote.address;
  }
  get hash(): number {
    return hashText(this.remote.address);
  }
  /** Nobody waits for an answer. */
  get idle(): boolean {
    return this.#waitsSince === 0;
  }

  /** The client sent `bytes`, which last for this call. */
  forward(bytes: Uint8Array): void {
    const { now } = this.#gate.reactor;
    this.lastActive = now;
    this.#giveUp(now);
    if (this.#fd === NONE && !this.#find(this.#home.pool)) return this.#unserved();
    this.#expected += this.#home.replies;
    this.#send(bytes, now);
  }

  /** End it: nothing more goes either way. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#leave();
    this.#gate.forget(this);
    this.#home.left(this);
  }

  row(now: number): SessionRow {
    const { id, remote, server, up, down, began } = this;
    return {
      id,
      service: this.#home.name,
      client: `${remote.address.includes(":") ? `[${remote.address}]` : remote.address}:${remote.port}`,
      pool: this.#home.pool.name,
      server: server?.name ?? "",
      step: "open",
      age: Math.max(0, Math.round((now - began) / 1000)),
      up,
      down,
      relay: "copy",
    };
  }

  /** A server that does not answer: one that is out of the pool, or one that has to, and never did. */
  #giveUp(now: number): void {
    const { server } = this;
    if (server === undefined || this.#waitsSince === 0) return;
    const waited = now - this.#waitsSince;
    const { replies, patience } = this.#home;
    if (replies > 0 && !this.#answered && waited > patience) {
      this.#close();
      server.failed("timeout");
      this.#tried.push(server);
    } else if (!server.eligible && waited > UNANSWERED_MS) this.#leave();
  }

  /** A server, and a socket connected to it. */
  #find(pool: Pool): boolean {
    for (;;) {
      const server = pool.choose(this, this.#tried);
      if (server === undefined || server === "full" || this.#tried.length > pool.retry.attempts)
        return false;
      const to = this.#home.destination(server);
      const fd = to === undefined ? NONE : dialDatagram(to);
      server.connecting();
      if (fd >= 0) {
        this.server = server;
        this.#fd = fd;
        this.#answered = false;
        this.#gate.reactor.add(fd, READABLE, this.#ready);
        return true;
      }
      server.failed(to === undefined || fd !== NONE ? "unreachable" : "error");
      this.#tried.push(server);
    }
  }

  #send(bytes: Uint8Array, now: number): void {
    if (this.#waitsSince === 0) this.#waitsSince = now;
    if (!this.#answered) this.#unanswered = bytes.slice();
    const at = bytes.length === 0 ? EMPTY.at : address(bytes); // no bytes have no address
    const n = socket.send(this.#fd, at, bytes.length, false);
    if (n === socket.GONE) return this.#refused();
    if (n > 0 || bytes.length === 0) this.#moved(bytes.length, 0);
  }

  readonly #ready = (): void => {
    const { queue, reactor } = this.#gate;
    if (queue.full) this.#gate.flush();
    const n = socket.receive(this.#fd, queue.at, MAX_DATAGRAM);
    if (n === socket.AGAIN) return;
    if (n === socket.GONE) return this.#refused();
    const { now } = reactor;
    this.lastActive = now;
    if (!this.#answered) this.server?.connected(now - this.#waitsSince);
    this.#answered = true;
    this.#unanswered = undefined;
    this.#waitsSince = 0;
    this.#tried = [];
    queue.push(this.route, n);
    this.#moved(0, n);
    if (this.#home.replies > 0 && --this.#expected <= 0) this.end();
  };

  /** ICMP says that nobody listens there: the next server, and it is sent what that one was. */
  #refused(): void {
    const { server } = this;
    const again = this.#unanswered;
    if (server !== undefined && !this.#answered) {
      this.#close();
      server.failed("refused");
      this.#tried.push(server);
    } else this.#leave();
    if (again === undefined) return; // the client's next datagram finds another
    if (this.#find(this.#home.pool)) this.#send(again, this.#gate.reactor.now);
    else this.#unserved();
  }

  #unserved(): void {
    this.#home.unserved();
    this.end();
  }

  #leave(): void {
    if (this.#fd === NONE) return;
    const { server } = this;
    this.#close();
    server?.closed();
  }

  #close(): void {
    this.#gate.reactor.forget(this.#fd);
    socket.close(this.#fd);
    this.#fd = NONE;
    this.server = undefined;
    this.#waitsSince = 0;
  }

  #moved(up: number, down: number): void {
    this.up += up;
    this.down += down;
    this.server?.transferred(up, down);
    this.#home.moved(up, down);
  }
}
