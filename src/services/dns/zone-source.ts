import { EDE } from "../../wire/dns/edns.ts";
import type { Query } from "../../wire/dns/query.ts";
import { extendedError, type Remarks } from "./reply.ts";
import type { Source } from "./source.ts";
import type { Tail } from "./tail.ts";
import type { Via } from "./via.ts";
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

const NOT_READY = extendedError(EDE.NOT_READY, "the zone could not be read");

/** A zone that is ours and could not be read: whoever asks is to try another server. */
export class BrokenSource implements Source {
  readonly exact = false;
  readonly lasting = false;
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }

  answer(_bytes: Uint8Array, _query: Query, _via: Via, remarks: Remarks): undefined {
    remarks.ede = NOT_READY;
    return undefined;
  }
}
