import { type Address, showAddress } from "../../core/address.ts";
import { compileAccess } from "../../core/cidr.ts";
import type { Closable, Lease } from "../../core/lease.ts";
import type { SocketOptions } from "../../core/socket-options.ts";
import { Acceptor } from "../../net/acceptor.ts";
import { Opening, type Wanted } from "../../net/fronts/opening.ts";
import { type Remote, remoteOf } from "../../net/http1/plain-transport.ts";
import type { Reactor } from "../../net/reactor.ts";
import type { ListenSocket } from "../../net/sockets.ts";
import type { Log } from "../../observe/log.ts";
import { peerOf } from "../../sys/peer.ts";
import { close } from "../../sys/socket.ts";
import type { ClientHello } from "../../wire/tls/client-hello.ts";

/** Longest wait for a PROXY header and a ClientHello. */
const OPENING_MS = 10_000;
/** How often deadlines of those are looked at. */
const SWEEP_MS = 500;

/** Who decides about the clients of a gate. */
export interface Keeper {
  /** A place for one more, taken. If there is none, it is for the keeper to call `open` when there is. */
  room(): boolean;
  /** It is not needed: nobody came, or left without having said who it is. */
  unused(): void;
  /** A ClientHello is waited for. */
  readonly hello: boolean;
  /** A client; its socket is the keeper's. */
  admit(fd: number, remote: Remote, hello: ClientHello | undefined): void;
}

export interface GateParts {
  readonly address: Address;
  readonly socket: Lease<ListenSocket>;
  readonly options: SocketOptions;
  readonly reactor: Reactor;
  readonly log: Log;
}

/**
 * One listener and the clients that it has not shown in yet. It outlives a reload: `serve` puts
 * another keeper in charge.
 */
export class Gate implements Closable {
  readonly #parts: GateParts;
  readonly #acceptor: Acceptor;
  readonly #trusted: (address: string) => boolean;
  readonly #openings = new Set<Opening>();
  #keeper: Keeper | undefined;
  #sweepAt = 0;
  #forgetTurn: (() => void) | undefined;

  constructor(parts: GateParts) {
    this.#parts = parts;
    const { socket, reactor, log, options } = parts;
    this.#trusted = compileAccess(options.trusted);
    this.#acceptor = new Acceptor(socket.value, reactor, {
      room: () => this.#keeper?.room() ?? false,
      unused: () => this.#keeper?.unused(),
      take: (fd) => this.#take(fd),
      exhausted: () => log.warn("out of files: connections wait", { listener: this.name }),
    });
  }

  /** Its address, with the port that the kernel chose. */
  get name(): string {
    const { address, socket } = this.#parts;
    return showAddress(address.kind === "tcp" ? { ...address, port: socket.value.port } : address);
  }

  /** `keeper` gets the clients from now on. */
  serve(keeper: Keeper): void {
    this.#keeper = keeper;
    this.#acceptor.open();
  }

  /** `keeper` has room again. */
  open(keeper: Keeper): void {
    if (this.#keeper === keeper) this.#acceptor.open();
  }

  /** `keeper` ends: who has been let in by the kernel still comes in, then nobody, unless another is in charge. */
  leave(keeper: Keeper): void {
    if (this.#keeper !== keeper) return;
    this.#acceptor.last(this.#parts.options.backlog);
    for (const opening of this.#openings) opening.broken();
    this.#keeper = undefined;
  }

  async close(): Promise<void> {
    if (this.#keeper !== undefined) this.leave(this.#keeper);
    this.#forgetTurn?.();
    await this.#parts.socket[Symbol.asyncDispose]();
  }

  #take(fd: number): void {
    const { options, reactor } = this.#parts;
    const hello = this.#keeper?.hello ?? false;
    const peer = remoteOf(peerOf(fd));
    const proxied = options.proxyProtocol !== "off" && this.#trusted(peer.address);
    if (!proxied && !hello) return this.#show(fd, peer, undefined);
    const wanted: Wanted = { proxy: proxied ? options.proxyProtocol : "off", hello };
    const opening = new Opening(fd, wanted, reactor.now + OPENING_MS, reactor, (opened) => {
      this.#openings.delete(opening);
      if (opened === undefined) this.#keeper?.unused();
      else this.#show(fd, opened.remote ?? peer, opened.hello);
    });
    this.#openings.add(opening);
    this.#forgetTurn ??= reactor.onTurn(this.#turn);
    opening.look();
  }

  #show(fd: number, remote: Remote, hello: ClientHello | undefined): void {
    if (this.#keeper === undefined) close(fd);
    else this.#keeper.admit(fd, remote, hello);
  }

  readonly #turn = (now: number): void => {
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + SWEEP_MS;
    for (const opening of this.#openings) if (opening.deadline <= now) opening.late();
    if (this.#openings.size > 0) return;
    this.#forgetTurn?.();
    this.#forgetTurn = undefined;
  };
}
