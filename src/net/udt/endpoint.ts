import type { Address } from "../../core/address.ts";
import { WakeQueue } from "../../core/wake-queue.ts";
import { type Route, routeTo } from "../../sys/datagram-route.ts";
import { bindDatagram } from "../../sys/datagram-socket.ts";
import { joinsTrains, MAX_TRAIN } from "../../sys/datagram-trains.ts";
import { close } from "../../sys/socket.ts";
import { TimerFd } from "../../sys/timer-fd.ts";
import { TrainReceiver } from "../../sys/train-receiver.ts";
import { TrainSender } from "../../sys/train-sender.ts";
import { UdtAccept } from "../../wire/udt/accept.ts";
import type { Congestion } from "../../wire/udt/congestion/congestion.ts";
import { UdtConnection, type UdtSettings } from "../../wire/udt/connection.ts";
import { type Reactor, READABLE, WRITABLE } from "../reactor.ts";
import { cookies, random31 } from "./chance.ts";
import { Departed } from "./departed.ts";
import { Line, type LineOwner } from "./line.ts";
import { pack } from "./packing.ts";
import { addressBytes, nameOf } from "./peer-address.ts";

/** Trains that one system call reads: several peers, or what came while we were busy. */
const READ_TRAINS = 8;
/** Reads before the neighbours in the event loop get their turn. */
const MAX_READS = 8;
/** Trains that one system call sends. Many are of one datagram: acknowledgements. */
const SEND_TRAINS = 64;
/** Few bytes, so that what is sent is still in the processor's cache. */
const SEND_BYTES = 4 * MAX_TRAIN;
/** Bytes of a UDT packet before which its destination stands (wire/udt). */
const DESTINATION = 12;
/** For socket id 0: handshakes. */
const HEADER = 16;
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

/** What every thread needs once: nothing in it lasts beyond a call. */
let receiver: TrainReceiver | undefined;

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
  readonly #receiver = (receiver ??= new TrainReceiver(READ_TRAINS));
  readonly #sender = new TrainSender(SEND_TRAINS, SEND_BYTES);
  readonly #lines = new Map<number, Line>();
  /** By the peer's address: what they send before they know our id. */
  readonly #meetings = new Map<string, Line>();
  readonly #queue = new WakeQueue<Line>();
  readonly #gone = new Departed();
  #changed: Line[] = [];
  #spare: Line[] = [];
  #accept: UdtAccept | undefined;
  #welcome: (line: Line) => void = () => {};
  #blocked = false;
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

  /** What is sent from. */
  get #fd(): number {
    return this.#fds[0] ?? -1;
  }

  /** Connections there are. */
  get size(): number {
    return this.#lines.size;
  }

  /** Datagrams that nobody wanted: no such connection, or not from its peer. */
  strays = 0;

  /** Take connections from now on. `welcome` gives each an owner (`line.owner`). */
  listen(welcome: (line: Line) => void): void {
    const { congestion, most = DEFAULT_MOST } = this.#options;
    this.#welcome = welcome;
    this.#accept = new UdtAccept({
      ...this.#options,
      congestion,
      most,
      cookie: cookies(),
      id: () => this.#freeId(),
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
      id: this.#freeId(),
      initial: random31(),
      peerAddress: addressBytes(route),
      congestion: this.#options.congestion(),
      now: microseconds(),
    });
    const line = this.#add(connection, route);
    line.owner = owner;
    if (role === "rendezvous") this.#meetings.set(nameOf(route), line);
    line.changed();
    return line;
  }

  /** Everything ends at once: connections that are there are broken off. */
  close(): void {
    if (this.#closed) return;
    this.#accept = undefined;
    for (const line of this.#lines.values()) {
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

  #freeId(): number {
    for (;;) {
      const id = random31();
      if (id !== 0 && !this.#lines.has(id)) return id;
    }
  }

  #add(connection: UdtConnection, route: Route): Line {
    const line = new Line(connection, route, (one) => {
      this.#touch(one);
      this.#runSoon();
    });
    this.#lines.set(connection.id, line);
    return line;
  }

  #ready(events: number, fd: number): void {
    if ((events & WRITABLE) !== 0 && this.#blocked) {
      this.#blocked = false;
      this.#options.reactor.modify(this.#fd, READABLE);
    }
    if ((events & READABLE) !== 0 || (events & ~WRITABLE) !== 0)
      for (let i = 0; i < MAX_READS; i++) {
        const count = this.#receiver.receive(fd);
        if (count > 0) this.#read(count);
        if (this.#closed || count < READ_TRAINS) break;
      }
    this.#run();
  }

  /** Connections take what came, then may answer. */
  #read(count: number): void {
    const trains = this.#receiver;
    const { bytes, room } = trains;
    const now = microseconds();
    for (let i = 0; i < count; i++) {
      const end = i * room + trains.lengthOf(i);
      const step = trains.segmentOf(i);
      let line: Line | undefined;
      for (let at = i * room; at < end; at += step) {
        const to = at + step < end ? at + step : end;
        if (to - at < HEADER) {
          this.strays++;
          continue;
        }
        const id = destination(bytes, at);
        if (line === undefined || line.connection.id !== id) {
          if (id === 0) {
            this.#shake(i, at, to, now);
            continue;
          }
          line = this.#lines.get(id);
          if (line !== undefined && !trains.cameFrom(i, line.route)) line = undefined;
          if (line === undefined) {
            this.#turnAway(i, id, at, now);
            continue;
          }
          this.#touch(line);
        }
        line.connection.receive(bytes, at, to, now);
      }
    }
    this.#run();
  }

  /** A datagram for nobody in particular: a handshake. */
  #shake(train: number, from: number, to: number, now: number): void {
    const route = this.#receiver.routeOf(train);
    const peer = nameOf(route);
    const meeting = this.#meetings.get(peer);
    if (meeting !== undefined) {
      this.#touch(meeting);
      meeting.connection.receive(this.#receiver.bytes, from, to, now);
      return;
    }
    if (this.#accept === undefined) {
      this.strays++;
      return;
    }
    const sender = this.#sender;
    if (sender.full || this.#blocked) return; // they will ask again
    const { bytes } = this.#receiver;
    const address = addressBytes(route);
    const { offset } = sender;
    const n = this.#accept.receive(bytes, from, to, peer, address, now, sender.bytes, offset);
    if (n > 0) sender.push(route, n, n);
    const connection = this.#accept.take();
    if (connection === undefined) return;
    const line = this.#add(connection, route);
    this.#touch(line);
    this.#welcome(line);
  }

  /** A datagram for a connection there is not: who has missed that we closed it is told again. */
  #turnAway(train: number, id: number, from: number, now: number): void {
    this.strays++;
    const sender = this.#sender;
    if (sender.full || this.#blocked) return;
    const { bytes } = this.#receiver;
    const left = this.#gone.find(id, bytes, from, now);
    if (left === undefined || !this.#receiver.cameFrom(train, left.route)) return;
    const n = left.answer(now, sender.bytes, sender.offset);
    if (n > 0) sender.push(left.route, n, n);
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
        if (this.#blocked) break;
      }
      this.#send();
    } finally {
      this.#busy = false;
    }
    if (!this.#closed) this.#setTimer();
  }

  /** What it has to say, in trains; then when to look again. */
  #speak(line: Line): void {
    const { connection } = line;
    if (!this.#blocked) pack(line, microseconds(), this.#sender, this.#flush);
    if (connection.done) this.#forget(line);
    else this.#queue.set(line, connection.wakeAt());
  }

  readonly #flush = (): boolean => {
    this.#send();
    return !this.#blocked;
  };

  #send(): void {
    if (this.#blocked || this.#sender.send(this.#fd)) return;
    this.#blocked = true;
    this.#options.reactor.modify(this.#fd, READABLE | WRITABLE);
  }

  #setTimer(): void {
    const { wakeAt } = this.#queue;
    // While the kernel takes nothing, whoever is late stays late.
    const next = this.#blocked ? Infinity : wakeAt;
    // One that rings too early is no harm, and is set again then.
    if (this.#rings >= 0 && this.#rings <= next) return;
    this.#rings = next;
    this.#timer.set(next === Infinity ? Infinity : next - microseconds());
  }

  #forget(line: Line): void {
    this.#queue.delete(line);
    if (!this.#lines.delete(line.connection.id)) return;
    const peer = nameOf(line.route);
    if (this.#meetings.get(peer) === line) this.#meetings.delete(peer);
    this.#accept?.forget(line.connection);
    if (line.connection.end === "closed here") this.#gone.add(line, microseconds());
    line.gone = true;
    line.owner?.(line);
  }
}

function destination(bytes: Uint8Array, at: number): number {
  const i = at + DESTINATION;
  return (
    (((bytes[i] as number) << 24) |
      ((bytes[i + 1] as number) << 16) |
      ((bytes[i + 2] as number) << 8) |
      (bytes[i + 3] as number)) >>>
    0
  );
}
