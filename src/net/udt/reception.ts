import type { Route } from "../../sys/datagram-route.ts";
import { TrainReceiver } from "../../sys/train-receiver.ts";
import type { UdtAccept } from "../../wire/udt/accept.ts";
import type { UdtConnection } from "../../wire/udt/connection.ts";
import type { Line } from "./line.ts";
import type { Lines } from "./lines.ts";
import type { Outgoing } from "./outgoing.ts";
import { addressBytes, nameOf } from "./peer-address.ts";

/** Trains that one system call reads: several peers, or what came while we were busy. */
const READ_TRAINS = 8;
/** Bytes of a UDT packet before which its destination stands (wire/udt). */
const DESTINATION = 12;
const HEADER = 16;

/** Datagrams of those who are nobody, since the beginning. */
export interface UdtStrangers {
  /** No such connection, or not from its peer, or no handshake, or a wrong cookie. */
  readonly unknown: number;
  /** Handshakes that were answered by a cookie. */
  readonly cookies: number;
  /** Handshakes that were refused: another kind of socket, or too many are there. */
  readonly refused: number;
}

/** What every thread needs once: nothing in it lasts beyond a call. */
let receiver: TrainReceiver | undefined;

/** Reads datagrams, and gives each to the connection it is for, to the listener, or to nobody. Times µs. */
export class Reception {
  readonly #lines: Lines;
  readonly #outgoing: Outgoing;
  readonly #touched: (line: Line) => void;
  readonly #receiver = (receiver ??= new TrainReceiver(READ_TRAINS));
  #accept: UdtAccept | undefined;
  #admit: (connection: UdtConnection, route: Route) => void = () => {};
  /** Datagrams that are for nobody here; handshakes that make no sense are the listener's to count. */
  strays = 0;

  /** `touched` is told of connections before they are given something. */
  constructor(lines: Lines, outgoing: Outgoing, touched: (line: Line) => void) {
    this.#lines = lines;
    this.#outgoing = outgoing;
    this.#touched = touched;
  }

  /** Who came and is nobody. */
  get strangers(): UdtStrangers {
    const { nonsense = 0, cookies = 0, refused = 0 } = this.#accept ?? {};
    return { unknown: this.strays + nonsense, cookies, refused };
  }

  /** From now on strangers may shake hands; `admit` is given the connections that come of it. */
  open(accept: UdtAccept, admit: (connection: UdtConnection, route: Route) => void): void {
    this.#accept = accept;
    this.#admit = admit;
  }
  /** No more strangers. */
  close(): void {
    this.#accept = undefined;
  }
  /** It has ended: its client may come again. */
  forget(connection: UdtConnection): void {
    this.#accept?.forget(connection);
  }

  /** One system call's worth of datagrams, which came when `clock` says once they are here. True: there may be more. */
  read(fd: number, clock: () => number): boolean {
    const trains = this.#receiver;
    const count = trains.receive(fd);
    const now = clock();
    const { bytes, room } = trains;
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
          line = this.#lines.find(id);
          if (line !== undefined && !trains.cameFrom(i, line.route)) line = undefined;
          if (line === undefined) {
            this.#turnAway(i, id, at, now);
            continue;
          }
          this.#touched(line);
        }
        line.connection.receive(bytes, at, to, now);
      }
    }
    return count === READ_TRAINS;
  }

  /** A datagram for nobody in particular: a handshake. */
  #shake(train: number, from: number, to: number, now: number): void {
    const { bytes } = this.#receiver;
    const route = this.#receiver.routeOf(train);
    const meeting = this.#lines.meeting(route);
    if (meeting !== undefined) {
      this.#touched(meeting);
      meeting.connection.receive(bytes, from, to, now);
      return;
    }
    if (this.#accept === undefined) {
      this.strays++;
      return;
    }
    if (!this.#outgoing.hasRoom) return; // they will ask again
    const { trains } = this.#outgoing;
    const peer = nameOf(route);
    const address = addressBytes(route);
    const { offset } = trains;
    const n = this.#accept.receive(bytes, from, to, peer, address, now, trains.bytes, offset);
    if (n > 0) trains.push(route, n, n);
    const connection = this.#accept.take();
    if (connection !== undefined) this.#admit(connection, route);
  }

  /** A datagram for a connection there is not: who has missed that we closed it is told again. */
  #turnAway(train: number, id: number, from: number, now: number): void {
    this.strays++;
    if (!this.#outgoing.hasRoom) return;
    const left = this.#lines.departed.find(id, this.#receiver.bytes, from, now);
    if (left === undefined || !this.#receiver.cameFrom(train, left.route)) return;
    const { trains } = this.#outgoing;
    const n = left.answer(now, trains.bytes, trains.offset);
    if (n > 0) trains.push(left.route, n, n);
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
