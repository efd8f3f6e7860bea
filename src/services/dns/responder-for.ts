import { join } from "node:path";

import { compileAccess } from "../../core/cidr.ts";
import { bytesIp } from "../../core/ip-bytes.ts";
import { showIp } from "../../core/ip.ts";
import type { TsigKey } from "../../wire/dns/tsig.ts";
import type { Host } from "../service.ts";
import { Catalog } from "./catalog.ts";
import { Chaos } from "./chaos.ts";
import type { NsConfig } from "./config.ts";
import { cookieKey } from "./cookie-secret.ts";
import type { ComputedNames } from "./names/computed-names.ts";
import { Proofs } from "./proofs.ts";
import { Responder, type ResponderParts } from "./responder.ts";
import { ResponseLimiter } from "./rrl.ts";
import type { Secondaries } from "./secondary/secondaries.ts";
import { SecondarySource } from "./secondary/secondary-source.ts";
import { Signatures } from "./signatures.ts";
import type { Source } from "./source.ts";
import { Transfers } from "./transfer/transfers.ts";
import { VerifiedClients } from "./verified.ts";
import { ZoneSource } from "./zone-source.ts";
import { ZoneAnswerer } from "./zone/zone-answerer.ts";
import type { Zones } from "./zones.ts";

/** What there is to answer of, and who is told. */
export interface Answered extends Pick<
  ResponderParts,
  "names" | "secondaries" | "traffic" | "log" | "tap" | "seed"
> {
  readonly zones: Zones;
  readonly keys: readonly TsigKey[];
}

/** The responder that a config asks for. Throws Error for a secret of cookies that cannot be kept. */
export function responderFor(
  config: NsConfig,
  host: Host,
  { zones, secondaries, names, keys, seed, traffic, log, tap }: Answered,
): Responder {
  const exempt = compileAccess(config.rrl?.exempt ?? []);
  const { cookies, rrl, nsid } = config;
  return new Responder({
    catalog: catalogOf(zones, secondaries, names, seed),
    names,
    proofs: new Proofs(host.certificates),
    tap,
    cache: config.cache,
    seed,
    rules: {
      udpSize: config.udp_size,
      nsid: nsid === null ? undefined : new TextEncoder().encode(nsid),
      cookieKey: cookies.enabled
        ? cookieKey(cookies.secret?.reveal(), join(host.state, "dns"))
        : undefined,
      ecs: config.ecs,
      idle: config.tcp.idle,
    },
    udpSize: config.udp_size,
    amplification: config.amplification,
    limiter:
      rrl === null
        ? undefined
        : new ResponseLimiter({ perSecond: rrl.rate.perSecond, slip: rrl.slip }, seed),
    exempt: (client) => exempt(showIp(bytesIp(client))),
    verified: new VerifiedClients(seed),
    traffic,
    log,
    chaos: new Chaos(config.chaos),
    signatures: new Signatures(keys),
    transfers: new Transfers(zones.all, secondaries.all, Date.now),
    secondaries,
    fault: faults(host),
  });
}

function catalogOf(
  { all }: Zones,
  secondaries: Secondaries,
  names: ComputedNames | undefined,
  seed: number,
): Catalog<Source> {
  const catalog = new Catalog<Source>(seed);
  const answerer = new ZoneAnswerer((name) => names?.covers(name) ?? false);
  for (const [i, { zone }] of all.entries())
    catalog.set(zone.origin, new ZoneSource((i + 1) << 16, zone, answerer));
  for (const [i, { secondary }] of secondaries.all.entries()) {
    const id = (all.length + i + 1) << 16;
    catalog.set(secondary.zone.origin, new SecondarySource(id, secondary.zone, answerer));
  }
  return catalog;
}

/** Pause between two lines of the log about the same kind of trouble: a stranger may cause it at will. */
const FAULT_PAUSE_MS = 60_000;

function faults({ clock, log, metrics }: Host): (error: unknown) => void {
  const counter = metrics.counter("tern_faults_total", "Errors of our own, caught and survived.");
  let quietUntil = 0;
  return (error) => {
    counter.add(1);
    if (clock.now() < quietUntil) return;
    quietUntil = clock.now() + FAULT_PAUSE_MS;
    log.error("a question could not be answered for a fault of ours", { error });
  };
}
