import { type Address, showAddress } from "../../core/address.ts";
import { compileAccess } from "../../core/cidr.ts";
import type { Lease } from "../../core/lease.ts";
import type { SocketOptions } from "../../core/socket-options.ts";
import { Acceptor } from "../../net/acceptor.ts";
import type { Certificates } from "../../net/certificates.ts";
import { Opening } from "../../net/fronts/opening.ts";
import { type Remote, remoteOf } from "../../net/http1/plain-transport.ts";
import type { Reactor } from "../../net/reactor.ts";
import type { ListenSocket } from "../../net/sockets.ts";
import type { Log } from "../../observe/log.ts";
import { peerOf } from "../../sys/peer.ts";
import { close } from "../../sys/socket.ts";
import { PlainGuest } from "./plain-guest.ts";
import { TlsGuest } from "./tls-guest.ts";
import type { Answerer } from "./via.ts";

/** How often deadlines are looked at: they may be missed by as much. */
const SWEEP_MS = 500;
/** A connection that has done something so lately is not closed to make room for another. */
const BUSY_MS = 1000;
/** Longest wait for the whole ClientHello and the handshake. */
const HANDSHAKE_MS = 10_000;

/** How many connections, and for how long. */
export interface StreamLimits {
  /** Connections of this process on one listener; the longest idle leaves for a new one. */
  readonly connections: number;
  /** Of these by one address. */
  readonly perClient: number;
  /** Milliseconds between a client's messages. */
  readonly idle: number;
}

/** A connection as its plane keeps it. */
export interface StreamGuest {
  readonly client: string;
  /** Milliseconds of the reactor, when it last did something worth waiting for. */
  readonly lastActive: number;
  /** It ends when this is past. */
  deadline(idle: number): number;
  /** Nothing would be lost by closing it. */
  readonly idle: boolean;
  /** End it now. */
  end(): void;
}

export interface StreamParts {
  readonly address: Address;
  readonly socket: Lease<ListenSocket>;
  readonly options: SocketOptions;
  readonly reactor: Reactor;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** Speak TLS (RFC 7858) with one of these. */
  readonly certificates: Certificates | undefined;
}

/** One TCP or TLS listener and its connections. They outlive a reload: `serve` puts another in charge. */
export class StreamPlane {
  readonly #parts: StreamParts;
  readonly #guests = new Set<StreamGuest>();
  readonly #openings = new Set<Opening>();
  readonly #perClient = new Map<string, number>();
  readonly #trusted: (address: string) => boolean;
  #answerer: Answerer | undefined;
  #limits: StreamLimits = { connections: 0, perClient: 0, idle: 0 };
  readonly #acceptor: Acceptor;
  #sweeper: ReturnType<typeof setInterval> | undefined;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    const listener = showAddress(parts.address);
    this.#acceptor = new Acceptor(parts.socket.value, parts.reactor, {
      room: () => true, // the longest idle leaves
      take: (fd) => this.#open(fd),
      exhausted: () => parts.log.warn("out of files: connections wait", { listener }),
    });
    this.#trusted = compileAccess(parts.options.trusted);
  }

  /** `tcp 127.0.0.1:53`, `tls 127.0.0.1:853`. */
  get name(): string {
    const { address, certificates, socket } = this.#parts;
    const at = address.kind === "tcp" ? { ...address, port: socket.value.port } : address;
    return `${certificates === undefined ? "tcp" : "tls"} ${showAddress(at)}`;
  }
  get reactor(): Reactor {
    return this.#parts.reactor;
  }
  get wall(): number {
    return this.#parts.wall();
  }
  get answerer(): Answerer | undefined {
    return this.#answerer;
  }
  get certificates(): Certificates | undefined {
    return this.#parts.certificates;
  }

  /** From now on `answerer` answers, the connections that are open too. */
  serve(answerer: Answerer, limits: StreamLimits): void {
    this.#answerer = answerer;
    this.#limits = limits;
    this.#acceptor.open();
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  /** `answerer` ends: accept no more and let everyone go, unless another has taken over. */
  async leave(answerer: Answerer, deadline: AbortSignal): Promise<void> {
    if (this.#answerer !== answerer) return;
    this.#acceptor.last(this.#parts.options.backlog);
    // A message that has begun is worth waiting for; an idle client is not.
    while (this.#answerer === answerer && this.#guests.size > 0 && !deadline.aborted) {
      for (const guest of this.#guests) if (guest.idle) guest.end();
      if (this.#guests.size > 0) await new Promise((resolve) => setTimeout(resolve, BUSY_MS / 20));
    }
    if (this.#answerer !== answerer) return;
    for (const guest of this.#guests) guest.end();
    for (const opening of this.#openings) opening.broken();
    this.#answerer = undefined;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  async close(): Promise<void> {
    if (this.#answerer !== undefined) await this.leave(this.#answerer, AbortSignal.abort());
    await this.#parts.socket[Symbol.asyncDispose]();
  }

  /** A guest did something: it is now the last that would have to leave. */
  active(guest: StreamGuest): void {
    this.#guests.delete(guest);
    this.#guests.add(guest);
  }

  left(guest: StreamGuest): void {
    if (!this.#guests.delete(guest)) return;
    const others = (this.#perClient.get(guest.client) ?? 1) - 1;
    if (others === 0) this.#perClient.delete(guest.client);
    else this.#perClient.set(guest.client, others);
  }

  /** Take the PROXY header off and peek at the ClientHello, when there are to be such. */
  #open(fd: number): void {
    const { certificates, options, reactor } = this.#parts;
    const peer = remoteOf(peerOf(fd));
    const proxied = options.proxyProtocol !== "off" && this.#trusted(peer.address);
    if (!proxied && certificates === undefined) return this.#admit(fd, peer, undefined);
    if (this.#openings.size >= this.#limits.connections) return close(fd);
    const proxy = proxied ? options.proxyProtocol : "off";
    const wanted = { proxy, hello: certificates !== undefined } as const;
    const deadline = reactor.now + HANDSHAKE_MS;
    const opening = new Opening(fd, wanted, deadline, reactor, (opened) => {
      this.#openings.delete(opening);
      if (opened !== undefined) this.#admit(fd, opened.remote ?? peer, opened.hello?.serverName);
    });
    this.#openings.add(opening);
    opening.look();
  }

  #admit(fd: number, remote: Remote, serverName: string | undefined): void {
    const { address } = remote;
    const { certificates } = this.#parts;
    const others = this.#perClient.get(address) ?? 0;
    if (others >= this.#limits.perClient || !this.#roomForOne()) return close(fd);
    const certificate = certificates?.find(serverName);
    if (certificates !== undefined && certificate === undefined) return close(fd);
    this.#perClient.set(address, others + 1);
    const guest = certificate
      ? new TlsGuest(this, remote, HANDSHAKE_MS)
      : new PlainGuest(this, fd, remote);
    this.#guests.add(guest);
    if (certificate !== undefined && guest instanceof TlsGuest) guest.shake(fd, certificate);
    else if (guest instanceof PlainGuest) guest.run();
  }

  /** When there are too many, the one that has been idle longest leaves (RFC 7766, 6.2.3). */
  #roomForOne(): boolean {
    if (this.#guests.size < this.#limits.connections) return true;
    for (const guest of this.#guests) {
      if (this.reactor.now - guest.lastActive < BUSY_MS) return false; // and so are all after it
      if (!guest.idle) continue;
      guest.end();
      return true;
    }
    return false;
  }

  #sweep(): void {
    const { now } = this.#parts.reactor;
    for (const guest of this.#guests) if (guest.deadline(this.#limits.idle) <= now) guest.end();
    for (const opening of this.#openings) if (opening.deadline <= now) opening.late();
  }
}
