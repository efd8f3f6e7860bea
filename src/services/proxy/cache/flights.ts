import { Flight, type Landed } from "./flight.ts";
import type { Store } from "./store.ts";

/** What is being fetched, by place: one request asks a server, others for the same wait. */
export class Flights {
  readonly #collapse: number;
  readonly #store: Store;
  readonly #flying = new Map<string, Flight>();

  /** `collapse`: how long others wait, in ms; 0 when nobody does. */
  constructor(collapse: number, store: Store) {
    this.#collapse = collapse;
    this.#store = store;
  }

  get(place: string): Flight | undefined {
    return this.#flying.get(place);
  }
  has(place: string): boolean {
    return this.#flying.has(place);
  }

  /** A new one to `place`. `behind`: no client waits for it. Others find it, where they may wait. */
  take(place: string, behind = false): Flight {
    const flight = new Flight(place, behind);
    if (this.#collapse > 0 && !this.#flying.has(place)) this.#flying.set(place, flight);
    return flight;
  }

  /** Tell those who wait; what is whole already needs to be found no more. */
  landed(flight: Flight, landed: Landed): Landed {
    flight.land(landed);
    if (landed.kind === "entry") this.leave(flight);
    return landed;
  }

  /** There is nothing for those who wait. */
  nothing(flight: Flight, why: "alone" | "failed"): void {
    flight.land({ kind: "nothing", why });
    this.leave(flight);
  }

  /** It is found no more, and other workers may ask. */
  leave(flight: Flight): void {
    if (flight.locked) this.#store.locks?.free(flight.place);
    flight.locked = false;
    if (this.#flying.get(flight.place) === flight) this.#flying.delete(flight.place);
  }
}
