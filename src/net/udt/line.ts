import type { Sleeper } from "../../core/wake-queue.ts";
import type { Route } from "../../sys/datagram-route.ts";
import type { UdtConnection } from "../../wire/udt/connection.ts";

/** Told that something may have changed: bytes to read, room to write, the state. */
export type LineOwner = (line: Line) => void;

/** A connection on an endpoint, and the way to its peer. */
export class Line implements Sleeper {
  readonly connection: UdtConnection;
  readonly route: Route;
  owner: LineOwner | undefined;
  /** The endpoint has done with it: it will not change any more. */
  gone = false;
  // The endpoint's own:
  wakeAt = Infinity;
  place = -1;
  touched = false;
  readonly #changed: (line: Line) => void;

  constructor(connection: UdtConnection, route: Route, changed: (line: Line) => void) {
    this.connection = connection;
    this.route = route;
    this.#changed = changed;
  }

  /** Its owner read, wrote or closed: the connection may have something to say. */
  changed(): void {
    this.#changed(this);
  }
}
