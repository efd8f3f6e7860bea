import type { Query } from "../../wire/dns/query.ts";
import type { Source } from "./source.ts";
import type { Tail } from "./tail.ts";
import type { Signer } from "./zone/signing/signer.ts";
import type { ZoneAnswerer } from "./zone/zone-answerer.ts";
import type { Zone } from "./zone/zone.ts";

/** A zone that answers. */
export class ZoneSource implements Source {
  /** Signatures come to an end, and are kept by who makes them. */
  readonly lasting: boolean;
  readonly id: number;
  readonly zone: Zone;
  readonly #answerer: ZoneAnswerer;

  constructor(id: number, zone: Zone, answerer: ZoneAnswerer) {
    this.id = id;
    this.zone = zone;
    this.lasting = zone.signer === undefined;
    this.#answerer = answerer;
  }

  get signer(): Signer | undefined {
    return this.zone.signer;
  }

  get exact(): boolean {
    return this.#answerer.exact;
  }

  answer(bytes: Uint8Array, query: Query): Tail {
    return this.#answerer.answer(this.zone, bytes, query);
  }
}
