import { type Address, showAddress } from "../../../core/address.ts";
import { type Ip, showIp } from "../../../core/ip.ts";
import type { Closable, Lease } from "../../../core/lease.ts";
import { type Reactor, READABLE } from "../../../net/reactor.ts";
import type { ListenSocket } from "../../../net/sockets.ts";
import type { Tallies } from "../../../net/tally/tallies.ts";
import { DatagramQueue, MAX_DATAGRAM } from "../../../sys/datagram-queue.ts";
import { isWildcard } from "../../../sys/datagram-socket.ts";
import { DatagramBatch } from "../../../sys/datagram.ts";
import { Succession } from "./succession.ts";
import type { ClientKey, UdpClient } from "./udp-client.ts";
import type { UdpSession } from "./udp-session.ts";

/** Datagrams moved by one system call. */
const BATCH = 32;
/** Batches before the neighbours in the event loop get their turn. */
const MAX_BATCHES = 8;
/** Bytes of answers that are sent at once, at most. */
const QUEUE_BYTES = 4 * MAX_DATAGRAM;
/** How often idle sessions are looked for. */
const SWEEP_MS = 500;
/** A session's place among the others is brought up to date no more often. */
const TOUCH_MS = 1000;
/** Nobody can be answered there. */
const NO_PORT = 0;

/** Every gate of the thread reads into it; nothing in it lasts beyond `#ready`. */
let shared: DatagramBatch | undefined;

/** Who decides about new clients of a gate. */
export interface UdpKeeper {
  /** A new client: its session, or undefined when it is turned away. */
  admit(gate: UdpGate, client: UdpClient): UdpSession | undefined;
  /** Milliseconds without a datagram that end a session. */
  readonly idle: number;
}

export interface UdpGateParts {
  readonly address: Address;
  readonly socket: Lease<ListenSocket>;
  readonly reactor: Reactor;
  readonly tallies: Tallies;
}

/** One UDP listener and its clients. It outlives a reload: `serve` puts another keeper in charge. */
export class UdpGate implements Closable {
  readonly reactor: Reactor;
  /** Answers on their way to clients. */
  readonly queue = new DatagramQueue(BATCH, QUEUE_BYTES);
  readonly #parts: UdpGateParts;
  readonly #batch: DatagramBatch;
  readonly #wildcard: boolean;
  /** Those unseen for longest first, to within TOUCH_MS. */
  readonly #sessions = new Map<ClientKey, UdpSession>();
  readonly #touched = new WeakMap<UdpSession, number>();
  readonly #successions: ReadonlyMap<number, Succession>;
  #keeper: UdpKeeper | undefined;
  /** Milliseconds of the last keeper, for the clients it leaves. */
  #idle = Infinity;
  #sweepAt = 0;
  #forgetTurn: (() => void) | undefined;

  constructor(parts: UdpGateParts) {
    this.#parts = parts;
    this.reactor = parts.reactor;
    this.#batch = shared ??= new DatagramBatch(BATCH, MAX_DATAGRAM, 1);
    this.#wildcard = isWildcard(this.#fd);
    const { reactor, tallies, socket } = parts;
    this.#successions = new Map(
      socket.value.fds.map((fd) => [
        fd,
        new Succession({ fd, reactor, tallies, known: this.#known, returned: this.#returned }),
      ]),
    );
  }

  get #fd(): number {
    return this.#parts.socket.value.fds[0] ?? -1; // there always is one
  }
  /** Its address, with the port that the kernel chose. */
  get name(): string {
    const { address, socket } = this.#parts;
    return showAddress(address.kind === "tcp" ? { ...address, port: socket.value.port } : address);
  }

  /** `keeper` gets new clients from now on. */
  serve(keeper: UdpKeeper): void {
    const first = this.#keeper === undefined;
    this.#keeper = keeper;
    if (first)
      for (const [fd, succession] of this.#successions)
        succession.begin(() => this.reactor.add(fd, READABLE, () => this.#ready(fd, succession)));
    this.#forgetTurn ??= this.reactor.onTurn(this.#turn);
  }

  /** `keeper` ends: nobody is heard any more, unless another is in charge. */
  leave(keeper: UdpKeeper): void {
    if (this.#keeper !== keeper) return;
    this.#keeper = undefined;
    this.#idle = keeper.idle;
    for (const [fd, succession] of this.#successions) {
      this.reactor.remove(fd);
      succession.leave();
    }
  }

  /** Another process reads here: clients that are left have somebody to write to. */
  get succeeded(): boolean {
    return this.#successions.values().some((succession) => succession.succeeded);
  }

  /** A session is over. */
  forget(session: UdpSession): void {
    if (this.#sessions.get(session.key) === session) this.#sessions.delete(session.key);
  }

  /** End the session that has been still for longest. */
  makeRoom(): void {
    for (const oldest of this.#sessions.values()) return oldest.end();
  }

  /** Send the answers there are. Any of our sockets will do: they have one address. */
  flush(): void {
    if (this.queue.count > 0) this.queue.send(this.#fd);
  }

  async close(): Promise<void> {
    if (this.#keeper !== undefined) this.leave(this.#keeper);
    for (const session of this.#sessions.values()) session.end();
    this.#forgetTurn?.();
    await Promise.all(this.#successions.values().map((succession) => succession.close()));
    await this.#parts.socket[Symbol.asyncDispose]();
  }

  #ready(fd: number, succession: Succession): void {
    const batch = this.#batch;
    for (let round = 0; round < MAX_BATCHES; round++) {
      const count = batch.receive(fd);
      for (let i = 0; i < count; i++) {
        if (batch.cut(i) || batch.portOf(i) === NO_PORT) continue;
        const from = i * batch.room;
        const datagram = batch.bytes.subarray(from, from + batch.lengthOf(i));
        this.#session(i, datagram, succession)?.forward(datagram);
      }
      if (count < batch.size) return;
    }
  }

  #session(slot: number, datagram: Uint8Array, succession: Succession): UdpSession | undefined {
    const client = this.#batch.clientOf(slot);
    const port = this.#batch.portOf(slot);
    const key = this.#keyOf(client, port, slot);
    const known = this.#sessions.get(key);
    if (known !== undefined) {
      this.#touch(known);
      return known;
    }
    const whole = (): UdpClient => this.#clientOf(key, slot);
    return succession.ask(key, datagram, whole) ? undefined : this.#admit(whole());
  }

  #clientOf(key: ClientKey, slot: number): UdpClient {
    const batch = this.#batch;
    const remote = { address: textOf(batch.clientOf(slot)), port: batch.portOf(slot) };
    return { key, remote, route: batch.routeOf(slot) };
  }

  #admit(client: UdpClient): UdpSession | undefined {
    const session = this.#keeper?.admit(this, client);
    if (session !== undefined) {
      this.#sessions.set(client.key, session);
      this.#touched.set(session, this.reactor.now);
    }
    return session;
  }

  /** The process that reads here now has a datagram from somebody it does not know. */
  readonly #known = (key: ClientKey, datagram: Uint8Array): boolean => {
    const session = this.#sessions.get(key);
    if (session !== undefined) {
      this.#touch(session);
      session.forward(datagram);
    }
    return session !== undefined;
  };

  /** The process that was asked does not know this client. */
  readonly #returned = (client: UdpClient, datagram: Uint8Array): void => {
    (this.#sessions.get(client.key) ?? this.#admit(client))?.forward(datagram);
  };

  /** Whoever writes to two addresses of ours is answered from both: that is two sessions. */
  #keyOf(client: Uint8Array, port: number, slot: number): number | string {
    if (this.#wildcard) {
      const { name, control } = this.#batch.routeOf(slot);
      return latin1(name) + latin1(control);
    }
    if (client.length > 4) return `${latin1(client)}${port}`;
    const [a = 0, b = 0, c = 0, d = 0] = client;
    return (((a * 256 + b) * 256 + c) * 256 + d) * 65_536 + port;
  }

  #touch(session: UdpSession): void {
    const { now } = this.reactor;
    if (now - (this.#touched.get(session) ?? 0) < TOUCH_MS) return;
    this.#touched.set(session, now);
    this.#sessions.delete(session.key);
    this.#sessions.set(session.key, session);
  }

  readonly #turn = (now: number): void => {
    this.flush();
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + SWEEP_MS;
    const idle = this.#keeper?.idle ?? this.#idle;
    for (const session of this.#sessions.values()) {
      if (now - session.lastActive >= idle) session.end();
      // All behind it were heard of later.
      else if (now - (this.#touched.get(session) ?? 0) < idle) break;
    }
  };
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function textOf(client: Uint8Array): string {
  const view = new DataView(client.buffer, client.byteOffset, client.length);
  const word = (at: number): number => view.getUint32(at);
  const ip: Ip =
    client.length === 4
      ? { version: 4, words: [word(0)] }
      : { version: 6, words: [word(0), word(4), word(8), word(12)] };
  return showIp(ip);
}
