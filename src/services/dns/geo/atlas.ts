import { ipBytes } from "../../../core/ip-bytes.ts";
import { commonBits } from "./bits.ts";
import { CONTINENTS, type PlaceKey } from "./place-key.ts";
import type { Place, Places } from "./places.ts";

/** Which variants of one name are for whom. */
export class Atlas {
  readonly #networks: {
    readonly base: Uint8Array;
    readonly bits: number;
    readonly variant: number;
  }[] = [];
  readonly #systems = new Map<number, number>();
  readonly #codes = new Map<string, number>();
  /** The variant that the last `find` found; 0 is the name's own. */
  variant = 0;
  /** All clients that share so many bits with the one of the last `find` get the same. */
  bits = 0;

  /** `keys[i]` are the places of variant i + 1. A place named twice belongs to the first. */
  constructor(keys: readonly (readonly PlaceKey[])[]) {
    for (const [i, places] of keys.entries()) for (const place of places) this.#add(place, i + 1);
  }

  /** Whether it takes a database to tell places apart. */
  get needsPlaces(): boolean {
    return this.#systems.size > 0 || this.#codes.size > 0;
  }

  /** The nearest thing said of a client: its network, its AS, its country, its continent. */
  find(client: Uint8Array, length: 4 | 16, places: Places | undefined): void {
    this.variant = 0;
    this.bits = 0;
    let longest = -1;
    for (const { base, bits, variant } of this.#networks) {
      if (base.length !== length) continue;
      const common = commonBits(client, base);
      // A neighbour inside this network gets something else: the answer is not for both.
      this.bits = Math.max(this.bits, Math.min(common + 1, bits));
      if (common < bits || bits <= longest) continue;
      longest = bits;
      this.variant = variant;
    }
    if (longest >= 0 || !places || !this.needsPlaces) return;
    const place = places.locate(client, length);
    this.bits = Math.max(this.bits, place.bits);
    this.variant = this.#variantOf(place);
  }

  #variantOf({ asn, country, continent }: Place): number {
    return (
      this.#systems.get(asn) ??
      this.#codes.get(country) ??
      this.#codes.get(`continent ${continent}`) ??
      0
    );
  }

  #add(place: PlaceKey, variant: number): void {
    switch (place.kind) {
      case "network": {
        const { base, bits } = place.cidr;
        const bytes = ipBytes(base, base.version);
        if (bytes) this.#networks.push({ base: bytes, bits, variant });
        return;
      }
      case "as":
        if (!this.#systems.has(place.number)) this.#systems.set(place.number, variant);
        return;
      case "code": {
        const key = CONTINENTS.has(place.code) ? `continent ${place.code}` : place.code;
        if (!this.#codes.has(key)) this.#codes.set(key, variant);
      }
    }
  }
}
