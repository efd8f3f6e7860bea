import { EDE } from "../../../wire/dns/edns.ts";
import type { Query } from "../../../wire/dns/query.ts";
import { extendedError, type Remarks } from "../reply.ts";
import type { Source } from "../source.ts";
import type { Tail } from "../tail.ts";
import type { Via } from "../via.ts";
import type { ZoneAnswerer } from "../zone/zone-answerer.ts";
import type { SecondaryZone } from "./secondary-zone.ts";

const NOT_READY = extendedError(EDE.NOT_READY, "the zone has not come yet");
// RFC 8914, 4.25: "its most recent zone being too old or having expired".
const EXPIRED = extendedError(EDE.INVALID_DATA, "the zone has expired");

/** Answers from another server's zone as it is at the moment. */
export class SecondarySource implements Source {
  /** The key is its primary's. */
  readonly signer = undefined;
  readonly id: number;
  readonly #zone: SecondaryZone;
  readonly #answerer: ZoneAnswerer;

  constructor(id: number, zone: SecondaryZone, answerer: ZoneAnswerer) {
    this.id = id;
    this.#zone = zone;
    this.#answerer = answerer;
  }

  get exact(): boolean {
    return this.lasting && this.#answerer.exact;
  }

  get lasting(): boolean {
    return this.#zone.zone !== undefined;
  }

  answer(bytes: Uint8Array, query: Query, _via: Via, remarks: Remarks): Tail | undefined {
    const { zone, expired } = this.#zone;
    if (zone !== undefined) return this.#answerer.answer(zone, bytes, query);
    remarks.ede = expired ? EXPIRED : NOT_READY;
    return undefined;
  }
}
