import { createHash } from "node:crypto";
import { join } from "node:path";

import { showAddress } from "../../../core/address.ts";
import { compileAccess } from "../../../core/cidr.ts";
import { bytesIp } from "../../../core/ip-bytes.ts";
import { showIp } from "../../../core/ip.ts";
import type { Lease } from "../../../core/lease.ts";
import { clientTls } from "../../../net/tls/client-tls.ts";
import { nameKey, parseName, sameName, showName } from "../../../wire/dns/name.ts";
import type { Query } from "../../../wire/dns/query.ts";
import type { TsigKey } from "../../../wire/dns/tsig.ts";
import { CLASS, RCODE, TYPE } from "../../../wire/dns/types.ts";
import type { Host } from "../../service.ts";
import { canonical } from "../config.ts";
import type { Signed } from "../signatures.ts";
import type { Via } from "../via.ts";
import { primariesOf, type TcpAddress, type ZoneConfig } from "../zone-config.ts";
import { KeptZone } from "./kept-zone.ts";
import { Primary, type PrimaryParts } from "./primary.ts";
import { Refresher } from "./refresher.ts";
import { SecondaryZone } from "./secondary-zone.ts";
import { Secondary } from "./secondary.ts";
import { isNewer } from "./soa.ts";

/** One of them under one config. */
export interface ServedSecondary {
  /** Lower case, without its last dot. */
  readonly name: string;
  readonly config: ZoneConfig;
  readonly secondary: Secondary;
  /** What transfers and notifications are signed with. */
  readonly key: TsigKey | undefined;
  /** Whether an address is a primary's. */
  readonly isPrimary: (address: string) => boolean;
}

/** The zones of one server that are fetched from others. */
export class Secondaries {
  readonly #leases: Lease<Secondary>[] = [];
  readonly #byName = new Map<string, ServedSecondary>();
  #ends: (() => void)[] = [];

  /** With what is kept of them; nobody is asked yet. `keys` are those of the server's config. */
  static async load(
    server: string,
    config: Readonly<Record<string, ZoneConfig>>,
    keys: readonly TsigKey[],
    host: Host,
  ): Promise<Secondaries> {
    const loaded = new Secondaries();
    for (const [given, one] of Object.entries(config)) {
      if (one.primaries.length === 0) continue;
      const name = canonical(given);
      const tsig = one.tsig === null ? undefined : parseName(one.tsig);
      const key = tsig && keys.find((other) => sameName(other.name, tsig));
      await loaded.#load(server, name, one, key, host);
    }
    return loaded;
  }

  get all(): readonly ServedSecondary[] {
    return [...this.#byName.values()];
  }

  /** Follow and fetch; `changed` is told of each that is another than before. */
  begin(changed: (served: ServedSecondary) => void): void {
    for (const served of this.all) {
      const { secondary } = served;
      this.#ends.push(secondary.zone.subscribe(() => changed(served)));
      secondary.begin();
    }
  }

  /** Take a notification (RFC 1996): the rcode it is answered with. */
  notify(query: Query, via: Via, signed: Signed | undefined): number {
    const served = this.#byName.get(nameKey(query.key.subarray(0, query.keyLength)));
    if (served === undefined || query.qclass !== CLASS.IN) return RCODE.NOTAUTH;
    if (query.qtype !== TYPE.SOA) return RCODE.NOTIMP;
    const { secondary, key, isPrimary } = served;
    if (!isPrimary(showIp(bytesIp(via.client)))) return RCODE.REFUSED;
    if (key !== undefined && (signed === undefined || !sameName(signed.key.name, key.name)))
      return RCODE.REFUSED;
    // RFC 1996, 3.7: the serial it tells is a hint, enough for doing nothing.
    const ours = secondary.zone.zone?.serial;
    if (ours === undefined || query.serial < 0 || isNewer(query.serial, ours))
      secondary.zone.call();
    return RCODE.NOERROR;
  }

  /** Give back all shares; the last one ends the fetching. */
  async giveBack(): Promise<void> {
    for (const end of this.#ends.splice(0)) end();
    await Promise.all(this.#leases.splice(0).map((lease) => lease[Symbol.asyncDispose]()));
  }

  async #load(
    server: string,
    name: string,
    config: ZoneConfig,
    key: TsigKey | undefined,
    host: Host,
  ): Promise<void> {
    const origin = parseName(`${name}.`) as Uint8Array; // the schema has read it
    const addresses = primariesOf(config);
    const tls = config.primaries_tls === null ? undefined : clientTls(config.primaries_tls);
    const from = addresses.map(showAddress).join(" ");
    const by = `${key === undefined ? "" : fingerprint(key)} ${tls === undefined ? "" : digest(JSON.stringify(tls))}`;
    // What is leased under a name is what was made under it.
    const lease = (await host.leases.take(`dns secondary ${server} ${name} ${from} ${by}`, () =>
      makeSecondary(server, name, { origin, addresses, key, tls }, host),
    )) as Lease<Secondary>;
    this.#leases.push(lease);
    this.#byName.set(nameKey(origin), {
      name,
      config,
      secondary: lease.value,
      key,
      isPrimary: compileAccess(addresses.map(({ host: ip }) => ip)),
    });
  }
}

async function makeSecondary(
  server: string,
  name: string,
  from: Pick<PrimaryParts, "origin" | "key" | "tls"> & {
    readonly addresses: readonly TcpAddress[];
  },
  host: Host,
): Promise<Secondary> {
  const { addresses, ...common } = from;
  const { origin } = common;
  const { clock, log, metrics, state, worker } = host;
  const kept = new KeptZone(join(state, "dns", encodeURIComponent(server), "secondary"), name);
  const wall = Date.now;
  const zone = await SecondaryZone.open({ name, origin, kept, clock, wall, log });
  if (worker.index !== 0) return new Secondary(zone, undefined);
  const refresher = new Refresher({
    zone,
    kept,
    primaries: addresses.map((address) => new Primary({ ...common, address, clock, wall })),
    clock,
    wall,
    dice: Math.random,
    log,
    count: (result) =>
      metrics
        .counter("tern_dns_refreshes_total", "Zones looked at on their primaries, by result.", {
          server,
          result,
        })
        .add(1),
  });
  return new Secondary(zone, refresher);
}

/** Tells a key from another of the same name, and does not tell the secret. */
function fingerprint({ name, algorithm, secret }: TsigKey): string {
  return `${showName(name)} ${algorithm} ${digest(secret)}`;
}

function digest(secret: string | Uint8Array): string {
  return createHash("sha256").update(secret).digest("hex");
}
