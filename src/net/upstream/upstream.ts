import { type Destination, destination } from "../../sys/dial.ts";
import type { ConnectFailure, Server } from "../pools/pool.ts";
import type { Reactor } from "../reactor.ts";
import type { Caller, Dialer } from "../tcp/dialer.ts";
import { Handshake } from "../tls/handshake.ts";
import type { ServerGreeting } from "../tls/server-greeting.ts";
import { type Home, UpstreamConnection } from "./connection.ts";
import { DuplexWire } from "./duplex-wire.ts";
import { PlainWire } from "./plain-wire.ts";
import type { Wire } from "./wire.ts";

/** How connections to servers are made and kept. Milliseconds, bytes, connections. */
export interface UpstreamLimits {
  readonly connectTimeout: number;
  /** Idle connections kept to each server. */
  readonly maxIdle: number;
  /** How long one is kept idle: shorter than servers do, or requests meet their closing. */
  readonly idleTimeout: number;
  /** Longest head of a response. */
  readonly maxHead: number;
}

/** Where a server is: an IP address and a port. Connections to it are known by this very object. */
export type Address = Pick<Server, "host" | "port">;

/** Who wants a connection. Exactly one of both is called, once; maybe before `connect` returns. */
export interface Seeker {
  ready(connection: UpstreamConnection, tookMs: number): void;
  unreachable(why: ConnectFailure | "exhausted", detail?: string): void;
}

/** Deadlines are looked at this often: they may be missed by as much. */
const SWEEP_MS = 250;

/** Connections to servers, kept open between requests. One for each process and way to connect. */
export class Upstream implements Home {
  readonly maxHead: number;
  readonly #reactor: Reactor;
  readonly #dialer: Dialer;
  readonly #limits: UpstreamLimits;
  /** Set where servers speak TLS. */
  readonly #greeting: ServerGreeting | undefined;
  readonly #idle = new Map<Address, UpstreamConnection[]>();
  readonly #serverOf = new Map<UpstreamConnection, Address>();
  readonly #destinations = new WeakMap<Address, Destination>();
  #sweepAt = 0;
  #closed = false;
  #forgetTurn: (() => void) | undefined;

  constructor(reactor: Reactor, dialer: Dialer, limits: UpstreamLimits, greeting?: ServerGreeting) {
    this.#reactor = reactor;
    this.#dialer = dialer;
    this.#limits = limits;
    this.#greeting = greeting;
    this.maxHead = limits.maxHead;
  }

  get now(): number {
    return this.#reactor.now;
  }
  /** Open connections, idle ones included. */
  get open(): number {
    return this.#serverOf.size;
  }
  get idle(): number {
    return this.#idle.values().reduce((sum, list) => sum + list.length, 0);
  }

  /**
   * A connection that was idle, for no longer than `atMost` ms, if there is one: the one used last,
   * whose path is warm.
   */
  reuse(server: Address, atMost = Infinity): UpstreamConnection | undefined {
    const list = this.#idle.get(server);
    const last = list?.at(-1);
    if (last === undefined || this.now - last.idleSince > atMost) return undefined;
    list?.pop();
    return last;
  }

  /** Dial a new connection. Answers how to give it up. */
  connect(server: Address, seeker: Seeker): () => void {
    const to = this.#destination(server);
    if (to === undefined) {
      seeker.unreachable("error");
      return () => {};
    }
    let giveUp = (): void => {};
    const caller: Caller = {
      connected: (fd, tookMs) => {
        if (this.#greeting !== undefined)
          giveUp = this.#shake(fd, tookMs, server, this.#greeting, seeker);
        else this.#made(server, seeker, tookMs, (it) => new PlainWire(this.#reactor, fd, it));
      },
      unreachable: (why) => seeker.unreachable(why),
    };
    const fd = this.#dialer.dial(to, this.#limits.connectTimeout, caller, true);
    if (typeof fd !== "number") {
      seeker.unreachable(fd);
      return giveUp;
    }
    giveUp = () => this.#dialer.cancel(fd);
    return () => giveUp();
  }

  /** Answers how to give it up. */
  #shake(
    fd: number,
    dialMs: number,
    server: Address,
    greeting: ServerGreeting,
    seeker: Seeker,
  ): () => void {
    this.#reactor.remove(fd);
    const began = performance.now();
    const wish = { address: server.host, serverName: undefined, alpn: "http/1.1" };
    const timeout = this.#limits.connectTimeout;
    const handshake = new Handshake(
      fd,
      { ...greeting.to(wish), reactor: this.#reactor, timeout },
      (shaken) => {
        if (typeof shaken === "string") return seeker.unreachable("tls", shaken);
        const took = dialMs + performance.now() - began;
        this.#made(server, seeker, took, (it) => new DuplexWire(shaken.duplex, it));
      },
    );
    return () => handshake.broken();
  }

  #made(
    server: Address,
    seeker: Seeker,
    tookMs: number,
    wire: (connection: UpstreamConnection) => Wire,
  ): void {
    const connection = new UpstreamConnection(this);
    connection.attach(wire(connection));
    this.#serverOf.set(connection, server);
    this.#forgetTurn ??= this.#reactor.onTurn(this.#turn);
    seeker.ready(connection, tookMs);
  }

  free(connection: UpstreamConnection): void {
    const server = this.#serverOf.get(connection);
    if (server === undefined) return;
    if (this.#closed) return connection.leave();
    let list = this.#idle.get(server);
    if (list === undefined) this.#idle.set(server, (list = []));
    list.push(connection);
    if (list.length > this.#limits.maxIdle) list.shift()?.leave();
  }

  gone(connection: UpstreamConnection): void {
    const server = this.#serverOf.get(connection);
    this.#serverOf.delete(connection);
    const list = server && this.#idle.get(server);
    const at = list?.indexOf(connection) ?? -1;
    if (at >= 0) list?.splice(at, 1);
    if (server && list?.length === 0) this.#idle.delete(server);
  }

  /** Close what is idle; the rest closes with its exchange. */
  close(): void {
    this.#closed = true;
    for (const list of this.#idle.values())
      for (let last; (last = list.pop()) !== undefined;) last.leave();
  }

  #destination(server: Address): Destination | undefined {
    let to = this.#destinations.get(server);
    if (to?.host === server.host && to.port === server.port) return to;
    to = destination(server.host, server.port);
    if (to !== undefined) this.#destinations.set(server, to);
    return to;
  }

  readonly #turn = (now: number): void => {
    if (this.#serverOf.size === 0) {
      this.#forgetTurn?.();
      this.#forgetTurn = undefined;
      return;
    }
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + SWEEP_MS;
    const { idleTimeout } = this.#limits;
    for (const connection of this.#serverOf.keys()) {
      if (connection.idle) {
        if (now - connection.idleSince > idleTimeout) connection.leave();
      } else if (connection.deadline <= now) connection.late();
    }
  };
}
