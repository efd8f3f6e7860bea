import type { Route } from "../../sys/datagram-route.ts";
import { random31 } from "./chance.ts";
import { Departed } from "./departed.ts";
import type { Line } from "./line.ts";
import { nameOf } from "./peer-address.ts";

/** The connections of an endpoint: whom a datagram is for. */
export class Lines {
  readonly #byId = new Map<number, Line>();
  /** By the peer's address: what they send before they know our id. */
  readonly #meetings = new Map<string, Line>();
  /** Those that were closed here a while ago. */
  readonly departed = new Departed();

  get size(): number {
    return this.#byId.size;
  }
  [Symbol.iterator](): Iterator<Line> {
    return this.#byId.values();
  }

  /** A socket id that none has: > 0, and hardly to be guessed. */
  freeId(): number {
    for (;;) {
      const id = random31();
      if (id !== 0 && !this.#byId.has(id)) return id;
    }
  }

  add(line: Line): void {
    this.#byId.set(line.connection.id, line);
  }
  /** It is a rendezvous: the peer's handshakes are for it. */
  meet(line: Line): void {
    this.#meetings.set(nameOf(line.route), line);
  }

  find(id: number): Line | undefined {
    return this.#byId.get(id);
  }
  /** The rendezvous with whoever is at the end of `route`. */
  meeting(route: Route): Line | undefined {
    return this.#meetings.size === 0 ? undefined : this.#meetings.get(nameOf(route));
  }

  /** It has ended. False: it was forgotten before. `now`: µs. */
  forget(line: Line, now: number): boolean {
    if (!this.#byId.delete(line.connection.id)) return false;
    const peer = nameOf(line.route);
    if (this.#meetings.get(peer) === line) this.#meetings.delete(peer);
    if (line.connection.end === "closed here") this.departed.add(line, now);
    return true;
  }
}
