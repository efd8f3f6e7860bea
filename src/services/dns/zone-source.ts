import type { Query } from "../../wire/dns/query.ts";
import type { Source } from "./source.ts";
import type { Tail } from "./tail.ts";
import type { ZoneAnswerer } from "./zone/zone-answerer.ts";
import type { Zone } from "./zone/zone.ts";

/** A zone that answers. */
export class ZoneSource implements Source {
  readonly lasting = true;
  readonly id: number;
  readonly zone: Zone;
  readonly #answerer: ZoneAnswerer;

  constructor(id: number, zone: Zone, answerer: ZoneAnswerer) {
    this.id = id;
    this.zone = zone;
    this.#answerer = answerer;
  }

  get exact(): boolean {
    return this.#answerer.exact;
  }

  answer(bytes: Uint8Array, query: Query): Tail {
    return this.#answerer.answer(this.zone, bytes, query);
  }
}
