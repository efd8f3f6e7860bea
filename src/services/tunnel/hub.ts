import { randomBytes } from "node:crypto";

import { type Address, showAddress } from "../../core/address.ts";
import type { Closable, Lease } from "../../core/lease.ts";
import type { AeadName } from "../../net/aead/aead.ts";
import { preferredAead } from "../../net/aead/choice.ts";
import { type Reactor, READABLE, WRITABLE } from "../../net/reactor.ts";
import type { ListenSocket } from "../../net/sockets.ts";
import { type Route, routeTo } from "../../sys/datagram-route.ts";
import { joinsTrains } from "../../sys/datagram-trains.ts";
import { boundTo } from "../../sys/socket-options.ts";
import { MAX_PACKET } from "../../sys/tun.ts";
import { IndexTable } from "../../wire/noise/index-table.ts";
import type { Session } from "../../wire/noise/session.ts";
import { Arrivals } from "./arrivals.ts";
import { Departures } from "./departures.ts";
import type { Lane } from "./lane.ts";
import { Reception } from "./reception.ts";
import type { Strangers } from "./strangers.ts";

export interface HubParts {
  readonly address: Address;
  readonly socket: Lease<ListenSocket>;
  readonly reactor: Reactor;
}

/** One UDP socket and all the links that have it. It outlives a reload. */
export class Hub implements Closable {
  readonly departures = new Departures(MAX_PACKET);
  readonly dice = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
  readonly wall = Date.now;
  readonly indices = new IndexTable<Lane, Session<Lane>>(this.dice);
  readonly preferredCipher: AeadName = preferredAead();
  readonly strangers: Strangers = { unknown: 0, refused: 0, cookies: 0 };
  readonly reception = new Reception(this);
  readonly #parts: HubParts;
  readonly #arrivals = new Arrivals(this);
  readonly #mapped: boolean;
  #blocked = false;
  readonly #waiting = new Set<() => void>();
  #forgetTurn: (() => void) | undefined;

  constructor(parts: HubParts) {
    this.#parts = parts;
    const at = this.#fd < 0 ? undefined : boundTo(this.#fd);
    this.#mapped =
      at?.kind === "inet6" && parts.address.kind === "tcp" && parts.address.host === "";
    for (const fd of parts.socket.value.fds) {
      joinsTrains(fd);
      parts.reactor.add(fd, READABLE, this.#ready);
    }
    if (this.#fd >= 0) this.#forgetTurn = parts.reactor.onTurn(this.#turn);
  }

  get #fd(): number {
    return this.#parts.socket.value.fds[0] ?? -1;
  }
  /** It is there to be looked at only: `tern check`. */
  get isRehearsal(): boolean {
    return this.#fd < 0;
  }
  get now(): number {
    return this.#parts.reactor.now;
  }
  get port(): number {
    return this.#parts.socket.value.port;
  }
  /** Its address, with the port that the kernel chose. */
  get name(): string {
    const { address } = this.#parts;
    return showAddress(address.kind === "tcp" ? { ...address, port: this.port } : address);
  }

  /** The way to an IP address from here. */
  routeTo(host: string, port: number): Route | undefined {
    return routeTo(host, port, this.#mapped);
  }

  /** Send a datagram that is ready. False: there is no room for it. */
  post(route: Route, bytes: Uint8Array): boolean {
    const { departures } = this;
    if (departures.full && !this.send()) return false;
    departures.block.bytes.set(bytes, departures.next);
    departures.add(route, bytes.length);
    return true;
  }

  /** Send what there is. False: the socket is full; whoever waits by `whenFree` is told. */
  send(): boolean {
    if (this.departures.send(this.#fd)) {
      if (this.#blocked) this.#unblock();
      return true;
    }
    if (!this.#blocked) {
      this.#blocked = true;
      this.#parts.reactor.modify(this.#fd, READABLE | WRITABLE);
    }
    return false;
  }

  get blocked(): boolean {
    return this.#blocked;
  }
  /** Once, when the socket takes more. */
  whenFree(resume: () => void): void {
    this.#waiting.add(resume);
  }

  async close(): Promise<void> {
    this.#forgetTurn?.();
    for (const fd of this.#parts.socket.value.fds) this.#parts.reactor.remove(fd);
    await this.#parts.socket[Symbol.asyncDispose]();
  }

  #unblock(): void {
    this.#blocked = false;
    this.#parts.reactor.modify(this.#fd, READABLE);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  }

  readonly #turn = (now: number): void => {
    for (const link of this.reception.links) link.tick(now);
    if (!this.#blocked) this.send();
  };

  readonly #ready = (events: number, fd: number): void => {
    if ((events & WRITABLE) !== 0) this.send();
    this.#arrivals.receive(fd);
    if (!this.#blocked) this.send();
  };
}
