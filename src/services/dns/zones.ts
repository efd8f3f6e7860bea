import type { Closable, Lease, Leases } from "../../core/lease.ts";
import { isUnder } from "../../wire/dns/name.ts";
import { canonical, type ZoneConfig } from "./config.ts";
import type { Soa } from "./names/negative.ts";
import { showZoneProblem, ZoneFile, type ZoneVersion } from "./zone-file.ts";

/** A zone of one config. */
export interface ServedZone extends ZoneVersion {
  /** Lower case, without its last dot. */
  readonly name: string;
  readonly config: ZoneConfig;
}

/** The zones of one server under one config: what their files had when it was prepared. */
export class Zones {
  readonly #leases: Lease<ZoneFile>[] = [];
  readonly all: ServedZone[] = [];

  /** Rejects with the first zone that cannot be served at all. `key` is where zones are in the config. */
  static async load(
    config: Readonly<Record<string, ZoneConfig>>,
    key: string,
    leases: Leases<Closable>,
  ): Promise<Zones> {
    const zones = new Zones();
    try {
      for (const [given, one] of Object.entries(config)) {
        const name = canonical(given);
        const lease = (await leases.take(
          `dns zone ${name} ${one.file}`,
          async () => new ZoneFile(name, one.file, Date.now),
        )) as Lease<ZoneFile>; // what is leased under a name is what was made under it
        zones.#leases.push(lease);
        const version = lease.value.latest();
        if (version.zone === undefined)
          throw new Error(`${key}: ${version.problems.map(showZoneProblem).join("\n")}`);
        zones.all.push({ name, config: one, ...version });
      }
      return zones;
    } catch (failed) {
      await zones.giveBack();
      throw failed;
    }
  }

  /** The SOA of the zone that a name, in lower case, is in. */
  soaFor(name: Uint8Array): Soa | undefined {
    let found: Soa | undefined;
    for (const { zone } of this.all) {
      if (zone === undefined || !isUnder(name, zone.origin)) continue;
      if (found !== undefined && found.owner.length >= zone.origin.length) continue;
      const rdata = zone.store.firstRdata(zone.soa);
      found = { owner: zone.origin, rdata, ttl: zone.negativeTtl };
    }
    return found;
  }

  async giveBack(): Promise<void> {
    await Promise.all(this.#leases.splice(0).map((lease) => lease[Symbol.asyncDispose]()));
  }
}
