import { join } from "node:path";

import type { Lease } from "../../core/lease.ts";
import { isUnder, parseName } from "../../wire/dns/name.ts";
import type { Host } from "../service.ts";
import { canonical } from "./config.ts";
import type { Soa } from "./names/negative.ts";
import type { ZoneConfig } from "./zone-config.ts";
import { showZoneProblem, ZoneFile, type ZoneVersion } from "./zone-file.ts";
import { KeyFiles } from "./zone/signing/key-file.ts";
import type { ParentNews } from "./zone/signing/parent-records.ts";
import { Signer } from "./zone/signing/signer.ts";
import type { Zone } from "./zone/zone.ts";

/** A zone of one config. */
export interface ServedZone {
  /** Lower case, without its last dot. */
  readonly name: string;
  readonly config: ZoneConfig;
  readonly path: string;
  readonly file: ZoneFile;
  readonly version: ZoneVersion;
  /** What is served. */
  readonly zone: Zone;
}

/** The zones of one server that have files, under one config: what their files had when it was prepared. */
export class Zones {
  readonly #leases: Lease<ZoneFile>[] = [];
  readonly all: ServedZone[] = [];

  /** Rejects with the first zone that cannot be served at all. `key` is where zones are in the config. */
  static async load(
    config: Readonly<Record<string, ZoneConfig>>,
    key: string,
    host: Host,
  ): Promise<Zones> {
    const zones = new Zones();
    try {
      for (const [given, one] of Object.entries(config))
        if (one.file !== undefined) await zones.#load(canonical(given), one, one.file, key, host);
      return zones;
    } catch (failed) {
      await zones.giveBack();
      throw failed;
    }
  }

  async #load(
    name: string,
    config: ZoneConfig,
    path: string,
    key: string,
    host: Host,
  ): Promise<void> {
    const { log, state, worker } = host;
    const { cds, dnssec } = config;
    const make = async (): Promise<ZoneFile> =>
      new ZoneFile({
        name,
        path,
        wall: Date.now,
        backup: join(state, "dns", "zones", encodeURIComponent(name)),
        keeps: worker.index === 0,
        trouble: (error) =>
          log.warn("a zone could not be kept for a restart", { zone: name, error }),
        ...(dnssec === "online" && { signer: signerOf(name, keyFiles(name, state), cds) }),
      });
    // What is leased under a name is what was made under it.
    const lease = (await host.leases.take(
      `dns zone ${name} ${path} ${dnssec} ${cds}`,
      make,
    )) as Lease<ZoneFile>;
    this.#leases.push(lease);
    const file = lease.value;
    const version = await file.latest(config.transfer.length > 0);
    const { zone } = version;
    if (zone === undefined)
      throw new Error(`${key}: ${version.problems.map(showZoneProblem).join("\n")}`);
    this.all.push({ name, config, path, file, version, zone });
  }

  /** The SOA of the zone that a name, in lower case, is in. */
  soaFor(name: Uint8Array): Soa | undefined {
    let found: Soa | undefined;
    for (const { zone } of this.all) {
      if (!isUnder(name, zone.origin)) continue;
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

/** The keys of the zone `name` in the directory for what must last. */
export function keyFiles(name: string, state: string): KeyFiles {
  return new KeyFiles(join(state, "dns", "keys"), name);
}

/** Signs the zone `name` with its keys as they are then. */
function signerOf(name: string, files: KeyFiles, news: ParentNews) {
  const origin = parseName(`${name}.`) as Uint8Array; // the schema has read it
  return async (before: Signer | undefined): Promise<Signer> => {
    const keys = await files.read();
    return before?.keys.id === keys.id ? before : new Signer(origin, keys, Date.now, news);
  };
}
