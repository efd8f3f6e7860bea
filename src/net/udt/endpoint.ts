import type { Address } from "../../core/address.ts";
import { WakeQueue } from "../../core/wake-queue.ts";
import { type Route, routeTo } from "../../sys/datagram-route.ts";
import { bindDatagram } from "../../sys/datagram-socket.ts";
import { joinsTrains } from "../../sys/datagram-trains.ts";
import { close } from "../../sys/socket.ts";
import { TimerFd } from "../../sys/timer-fd.ts";
import { UdtAccept } from "../../wire/udt/accept.ts";
import type { Congestion } from "../../wire/udt/congestion/congestion.ts";
import { UdtConnection, type UdtSettings } from "../../wire/udt/connection.ts";
import { type Reactor, READABLE, WRITABLE } from "../reactor.ts";
import { cookies, random31 } from "./chance.ts";
import { Line, type LineOwner } from "./line.ts";
import { Lines } from "./lines.ts";
import { Outgoing } from "./outgoing.ts";
import { pack } from "./packing.ts";
import { addressBytes } from "./peer-address.ts";
import { Reception, type UdtStrangers } from "./reception.ts";

/** Reads before the neighbours in the event loop get their turn. */
const MAX_READS = 8;
/** What the kernel holds for us, each way. */
const DEFAULT_BUFFER = 8 * 1024 * 1024;
const DEFAULT_MOST = 10_000;

export interface EndpointOptions extends UdtSettings {
  /** Where to bind: an IP address or "" for all, port 0 for any. */
  readonly address: Address;
  /** Bound there already, and somebody else's to close: the first is sent from. Else one is made. */
  readonly sockets?: { readonly fds: readonly number[]; readonly port: number };
  readonly reactor: Reactor;
  /** Made anew for each connection. */
  readonly congestion: () => Congestion;
  /** Bytes the kernel is asked to hold each way (8 MB). */
  readonly buffer?: number;
  /** Connections that others may have to us at once (10 000). */
  readonly most?: number;
}

/** Microseconds, as all of UDT counts time here. */
export function microseconds(): number {
  return performance.now() * 1000;
}

/**
 * A UDP socket with any number of UDT connections. It moves datagrams in trains, wakes connections
 * when they want it, and tells their owners after whatever may have changed for them. Owners read
 * from and write to `line.connection`, then say `line.changed()`.
 */
export class UdtEndpoint {
  readonly address: Address & { kind: "tcp" };
  readonly #options: EndpointOptions;
  readonly #fds: readonly number[];
  readonly #timer = new TimerFd();
  readonly #lines = new Lines();
  readonly #outgoing: Outgoing;
  readonly #reception: Reception;
  readonly #queue = new WakeQueue<Line>();
  #changed: Line[] = [];
  #spare: Line[] = [];
  #soon = false;
  #busy = false;
  #closed = false;
  /** When the timer rings. */
  #rings = Infinity;

  /** Throws SysError when the address cannot be had. */
  constructor(options: EndpointOptions) {
    const { address, reactor, sockets } = options;
    const { fds, port } = sockets ?? this.#bind(options);
    this.#options = options;
    this.#fds = fds;
    this.address = { kind: "tcp", host: address.kind === "tcp" ? address.host : "", port };
    this.#outgoing = new Outgoing(fds[0] ?? -1, reactor);
    const touched = (line: Line): void => this.#touch(line);
    this.#reception = new Reception(this.#lines, this.#outgoing, touched);
    for (const fd of fds) {
      joinsTrains(fd);
      reactor.add(fd, READABLE, (events) => this.#ready(events, fd));
    }
    reactor.add(this.#timer.fd, READABLE, () => this.#rang());
  }

  #bind({ address, buffer = DEFAULT_BUFFER }: EndpointOptions): { fds: number[]; port: number } {
    const { fd, port } = bindDatagram(address, { reusePort: false, buffer });
    return { fds: [fd], port };
  }

  /** Connections there are. */
  get size(): number {
    return this.#lines.size;
  }

  /** What came of those who are nobody: for metrics. */
  get strangers(): UdtStrangers {
    return this.#reception.strangers;
  }

  /** Take connections from now on. `welcome` gives each an owner (`line.owner`). */
  listen(welcome: (line: Line) => void): void {
    const { congestion, most = DEFAULT_MOST } = this.#options;
    const accept = new UdtAccept({
      ...this.#options,
      congestion,
      most,
      cookie: cookies(),
      id: () => this.#lines.freeId(),
    });
    this.#reception.open(accept, (connection, route) => {
      const line = this.#add(connection, route);
      this.#touch(line);
      welcome(line);
    });
  }

  /**
   * A connection to a listener, or with a peer that does the same (rendezvous). It is `connecting`;
   * undefined when `host` is no IP address.
   */
  dial(
    role: "client" | "rendezvous",
    host: string,
    port: number,
    owner: LineOwner,
  ): Line | undefined {
    const route = routeTo(host, port, this.address.host === "");
    if (route === undefined) return undefined;
    const connection = new UdtConnection({
      ...this.#options,
      role,
      id: this.#lines.freeId(),
      initial: random31(),
      peerAddress: addressBytes(route),
      congestion: this.#options.congestion(),
      now: microseconds(),
    });
    const line = this.#add(connection, route);
    line.owner = owner;
    if (role === "rendezvous") this.#lines.meet(line);
    line.changed();
    return line;
  }

  /** Everything ends at once: connections that are there are broken off. */
  close(): void {
    if (this.#closed) return;
    this.#reception.close();
    for (const line of this.#lines) {
      line.connection.abort();
      this.#touch(line);
    }
    this.#run();
    this.#closed = true;
    const { reactor, sockets } = this.#options;
    for (const fd of this.#fds) {
      if (sockets !== undefined) reactor.remove(fd);
      else {
        reactor.forget(fd);
        close(fd);
      }
    }
    reactor.forget(this.#timer.fd);
    this.#timer.close();
  }

  #add(connection: UdtConnection, route: Route): Line {
    const line = new Line(connection, route, (one) => {
      this.#touch(one);
      this.#runSoon();
    });
    this.#lines.add(line);
    return line;
  }

  #ready(events: number, fd: number): void {
    if ((events & WRITABLE) !== 0) this.#outgoing.ready();
    if ((events & READABLE) !== 0 || (events & ~WRITABLE) !== 0)
      for (let i = 0; i < MAX_READS && !this.#closed; i++) {
        const more = this.#reception.read(fd, microseconds);
        this.#run();
        if (!more) break;
      }
    this.#run();
  }

  /** Something happened to it: it is looked at by the next `run`. */
  #touch(line: Line): void {
    if (line.touched) return;
    line.touched = true;
    this.#changed.push(line);
  }

  /** Someone touched a connection outside our own turns. */
  #runSoon(): void {
    if (this.#soon || this.#busy || this.#closed) return;
    this.#soon = true;
    queueMicrotask(() => {
      this.#soon = false;
      this.#run();
    });
  }

  #rang(): void {
    this.#rings = -1;
    const now = microseconds();
    for (let line = this.#queue.first; line !== undefined; line = this.#queue.first) {
      if (line.wakeAt > now) break;
      this.#queue.delete(line);
      this.#touch(line);
    }
    this.#run();
  }

  /** Tell the owners of what changed, let connections speak, and set the timer. */
  #run(): void {
    if (this.#busy || this.#closed) return;
    this.#busy = true;
    try {
      // Owners may touch others, or their own again: those come in the next round.
      while (this.#changed.length > 0) {
        const lines = this.#changed;
        this.#changed = this.#spare;
        this.#spare = lines;
        for (const line of lines) line.touched = false;
        for (const line of lines) line.owner?.(line);
        for (const line of lines) this.#speak(line);
        lines.length = 0;
        if (this.#outgoing.blocked) break;
      }
      this.#outgoing.send();
    } finally {
      this.#busy = false;
    }
    if (!this.#closed) this.#setTimer();
  }

  /** What it has to say, in trains; then when to look again. */
  #speak(line: Line): void {
    const { connection } = line;
    if (!this.#outgoing.blocked) pack(line, microseconds(), this.#outgoing);
    if (connection.done) this.#forget(line);
    else this.#queue.set(line, connection.wakeAt());
  }

  #setTimer(): void {
    const { wakeAt } = this.#queue;
    // While the kernel takes nothing, whoever is late stays late.
    const next = this.#outgoing.blocked ? Infinity : wakeAt;
    // One that rings too early is no harm, and is set again then.
    if (this.#rings >= 0 && this.#rings <= next) return;
    this.#rings = next;
    this.#timer.set(next === Infinity ? Infinity : next - microseconds());
  }

  #forget(line: Line): void {
    this.#queue.delete(line);
    if (!this.#lines.forget(line, microseconds())) return;
    this.#reception.forget(line.connection);
    line.gone = true;
    line.owner?.(line);
  }
}
