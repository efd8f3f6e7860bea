import { unlinkSync } from "node:fs";

import { type Address, parseAddress } from "../../core/address.ts";
import { compileAccess } from "../../core/cidr.ts";
import { DEFAULT_SOCKET, type SocketOptions } from "../../core/socket-options.ts";
import { listenStream } from "../../sys/listen.ts";
import { peerOf } from "../../sys/peer.ts";
import { close } from "../../sys/socket.ts";
import { ConnectionLost } from "../duplex/awaited.ts";
import { Opening } from "../fronts/opening.ts";
import { remoteOf } from "../http1/plain-transport.ts";
import { reactor } from "../reactor-loop.ts";
import type { Reactor } from "../reactor.ts";
import type { ServerTls } from "../tls/server-tls.ts";
import { Welcome, type Welcomed } from "../tls/welcome.ts";
import { Connection, type Home } from "./connection.ts";
import { type Admittance, Porter } from "./porter.ts";

/** How often time-outs are looked at: they may be missed by as much. */
const SWEEP_MS = 500;
const HANDSHAKE_MS = 10_000;

export interface TcpServerOptions<Context> {
  /** `:8080`, `127.0.0.1:0`, `[::1]:80`, `unix:/run/x.sock`; or an Address. */
  readonly listen: string | Address;
  /** Called for each connection, which is closed when it returns. A throw costs this connection only. */
  readonly handler: (connection: Connection<Context>) => void | Promise<void>;
  /** What each connection's `context` is to begin with. */
  readonly context: Context;
  /** backlog, reusePort, fastOpen, deferAccept, maxConnections, proxyProtocol, trusted. */
  readonly socket?: Partial<SocketOptions>;
  /** Every connection begins with TLS; or, with `startTls`, when it is asked to. */
  readonly tls?: ServerTls;
  readonly startTls?: boolean;
  /** After so many connections in all it shuts down. */
  readonly maxAccepted?: number;
  /** New connections per second, and at once. */
  readonly rate?: Admittance["rate"];
  /** Milliseconds that a handler may wait for its client; 0, the default: for ever. */
  readonly idleTimeout?: number;
  /** Milliseconds for a PROXY header and a TLS handshake. */
  readonly handshakeTimeout?: number;
  /** What a handler threw, ConnectionLost excepted. */
  readonly trouble?: (error: unknown, connection: Connection<Context>) => void;
  readonly reactor?: Reactor;
}

/**
 * A TCP server whose connections are handled by an async function each, in one event loop over
 * epoll. See README.md.
 */
export class TcpServer<Context = undefined> implements Home<Context> {
  readonly context: Context;
  readonly reactor: Reactor;
  readonly tls: ServerTls | undefined;
  readonly #options: TcpServerOptions<Context>;
  readonly #socket: SocketOptions;
  readonly #address: Address;
  readonly #porter: Porter;
  readonly #fd: number;
  readonly #trusted: (address: string) => boolean;
  readonly #connections = new Set<Connection<Context>>();
  readonly #openings = new Set<Opening>();
  readonly #welcomes = new Map<Welcome, (why: string) => void>();
  readonly #sweeper: ReturnType<typeof setInterval>;
  readonly #stopping = new AbortController();
  /** The end of all patience with those who are still there. */
  readonly #deadline = new AbortController();
  #shutdown: Promise<boolean> | undefined;

  /** Listens at once. Throws SysError: `bind 0.0.0.0:80: EACCES`. */
  constructor(options: TcpServerOptions<Context>) {
    this.#options = options;
    this.context = options.context;
    this.reactor = options.reactor ?? reactor();
    this.tls = options.tls;
    this.#socket = { ...DEFAULT_SOCKET, ...options.socket };
    this.#trusted = compileAccess(this.#socket.trusted);
    const address =
      typeof options.listen === "string" ? parseAddress(options.listen) : options.listen;
    if (address === undefined)
      throw new TypeError(`not an address: ${JSON.stringify(options.listen)}`);
    const { fd, port } = listenStream(address, this.#socket);
    this.#fd = fd;
    this.#address = address.kind === "tcp" ? { ...address, port } : address;
    const limits: Admittance = {
      connections: this.#socket.maxConnections,
      ...(options.maxAccepted !== undefined && { accepted: options.maxAccepted }),
      ...(options.rate && { rate: options.rate }),
    };
    this.#porter = new Porter(fd, this.reactor, limits, {
      open: (connection) => this.#open(connection),
      full: () => void this.shutdown(),
    });
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS).unref();
    this.#porter.start();
  }

  /** Where it listens, with the port the kernel chose. */
  get address(): Address {
    return this.#address;
  }
  /** Its socket options in force. */
  get socketOptions(): SocketOptions {
    return this.#socket;
  }
  /** Connections now, those still shaking hands included. */
  get active(): number {
    return this.#porter.active;
  }
  /** Connections so far. */
  get accepted(): number {
    return this.#porter.accepted;
  }
  /** Aborts when it begins to shut down: a handler may then say good-bye at the next good moment. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /**
   * Accept no more and wait for the handlers of all connections: for `deadlineMs`, then the rest are
   * reset; for 0, as long as it takes. True when none had to be. As soon as all are gone, in any case.
   */
  shutdown(deadlineMs = 0): Promise<boolean> {
    // Whoever asks a second time may be less patient than the first.
    if (deadlineMs > 0) setTimeout(() => this.#deadline.abort(), deadlineMs).unref();
    return (this.#shutdown ??= this.#end());
  }

  /** Accept no more and reset every connection now. */
  async halt(): Promise<void> {
    this.#deadline.abort();
    await this.shutdown();
  }

  /** For connections: see Home. */
  welcome(
    fd: number,
    tls: ServerTls,
    proxy: SocketOptions["proxyProtocol"] = "off",
  ): Promise<Welcomed | string> {
    return new Promise((resolve) => {
      const { reactor } = this;
      const timeout = this.#handshakeTimeout;
      const welcome = new Welcome(fd, { reactor, tls, proxy, timeout }, (welcomed) => {
        this.#welcomes.delete(welcome);
        resolve(welcomed);
      });
      this.#welcomes.set(welcome, resolve);
      welcome.run();
    });
  }

  #open(fd: number): void {
    const { proxyProtocol } = this.#socket;
    const proxied = proxyProtocol !== "off" && this.#trusted(remoteOf(peerOf(fd)).address);
    const proxy = proxied ? proxyProtocol : "off";
    if (this.tls !== undefined && !this.#options.startTls)
      void this.welcome(fd, this.tls, proxy).then((welcomed) =>
        typeof welcomed === "string"
          ? this.#porter.left()
          : this.#serve(new Connection(this, fd, welcomed.remote, welcomed)),
      );
    else if (proxied) this.#takeHeader(fd, proxy);
    else void this.#serve(new Connection(this, fd));
  }

  #takeHeader(fd: number, proxy: SocketOptions["proxyProtocol"]): void {
    const wanted = { proxy, hello: false };
    const deadline = this.reactor.now + this.#handshakeTimeout;
    const opening = new Opening(fd, wanted, deadline, this.reactor, (opened) => {
      this.#openings.delete(opening);
      if (opened === undefined) this.#porter.left();
      else void this.#serve(new Connection(this, fd, opened.remote));
    });
    this.#openings.add(opening);
    opening.look();
  }

  async #serve(connection: Connection<Context>): Promise<void> {
    this.#connections.add(connection);
    try {
      await this.#options.handler(connection);
      await connection.close();
    } catch (error) {
      connection.reset();
      if (!(error instanceof ConnectionLost)) this.#report(error, connection);
    } finally {
      this.#connections.delete(connection);
      this.#porter.left();
    }
  }

  #report(error: unknown, connection: Connection<Context>): void {
    const { trouble = reportError } = this.#options;
    try {
      trouble(error, connection);
    } catch (worse) {
      reportError(worse);
    }
  }

  async #end(): Promise<boolean> {
    const gone = this.#porter.shutdown(this.#socket.backlog, this.#deadline.signal);
    this.#stopping.abort();
    close(this.#fd);
    if (this.#address.kind === "unix") removeQuietly(this.#address.path);
    const all = await gone;
    for (const connection of this.#connections) connection.reset("the server stops");
    for (const opening of this.#openings) opening.broken();
    for (const [welcome, answer] of this.#welcomes) {
      welcome.broken();
      answer("the server stops");
    }
    clearInterval(this.#sweeper);
    return all;
  }

  get #handshakeTimeout(): number {
    return this.#options.handshakeTimeout ?? HANDSHAKE_MS;
  }

  #sweep(): void {
    const { now } = this.reactor;
    for (const opening of this.#openings) if (opening.deadline <= now) opening.late();
    const idle = this.#options.idleTimeout ?? 0;
    if (idle === 0) return;
    for (const connection of this.#connections)
      if (connection.idleFor(now) >= idle) connection.reset("idle for too long");
  }
}

function removeQuietly(path: string): void {
  try {
    if (!path.startsWith("@")) unlinkSync(path);
  } catch {} // somebody else did
}
