import { randomInt } from "node:crypto";
import { join } from "node:path";

import type { Lease } from "../../core/lease.ts";
import type { Attachment } from "../../net/http-fronts.ts";
import { DEFAULT_LIMITS } from "../../net/http-fronts.ts";
import { withChallenges } from "../../net/tls/http-challenge.ts";
import { LogFile } from "../../observe/log-file.ts";
import { showName } from "../../wire/dns/name.ts";
import type { TsigKey } from "../../wire/dns/tsig.ts";
import type { Host, ListenerFigures } from "../service.ts";
import { canonical, type NsConfig } from "./config.ts";
import { Places } from "./geo/places.ts";
import { dnsOverHttps } from "./https.ts";
import { ComputedNames } from "./names/computed-names.ts";
import { ManualStates } from "./names/manual-states.ts";
import { Notifier } from "./notifier.ts";
import { Planes } from "./planes.ts";
import { QueryLog } from "./query-log.ts";
import { responderFor } from "./responder-for.ts";
import type { Responder } from "./responder.ts";
import { Secondaries, type ServedSecondary } from "./secondary/secondaries.ts";
import { MAX_MESSAGE } from "./stream.ts";
import { ServerTap } from "./tap/server-tap.ts";
import { Traffic } from "./traffic.ts";
import { tsigKeysOf } from "./tsig-keys.ts";
import type { Transport } from "./via.ts";
import { Zones } from "./zones.ts";

/** One named server of the section, under one config. */
export class DnsServer {
  readonly name: string;
  readonly config: NsConfig;
  readonly zones: Zones;
  readonly secondaries: Secondaries;
  readonly names: ComputedNames | undefined;
  readonly traffic: Traffic;
  readonly responder: Responder;
  readonly #planes: Planes;
  readonly #host: Host;
  readonly #keys: readonly TsigKey[];
  readonly #notifier: Lease<Notifier>;
  readonly #tap: ServerTap | undefined;
  readonly #queryLog: QueryLog | undefined;
  #https: Attachment | undefined;

  /** Everything that can fail: files are read, sockets bound. */
  static async prepare(name: string, config: NsConfig, host: Host): Promise<DnsServer> {
    const planes = new Planes(name, host);
    const undo: (() => unknown)[] = [() => planes.giveBack()];
    try {
      const zones = await Zones.load(config.zones, `dns.${name}.zones`, host);
      undo.push(() => zones.giveBack());
      const keys = tsigKeysOf(config);
      const secondaries = await Secondaries.load(name, config.zones, keys, host);
      undo.push(() => secondaries.giveBack());
      const seed = randomInt(2 ** 32);
      const names = await prepareNames(name, config, zones, seed, host);
      undo.push(() => names?.close());
      // What other servers have not heard yet is told on, whatever config comes.
      const notifier = (await host.leases.take(
        "dns notifier",
        async () => new Notifier(host.clock, host.log),
      )) as Lease<Notifier>;
      undo.push(() => notifier[Symbol.asyncDispose]());
      const { dnstap } = config;
      const tap = dnstap === null ? undefined : await ServerTap.take(name, dnstap, host);
      undo.push(() => tap?.giveBack());
      const server = new DnsServer(name, config, host, {
        zones,
        secondaries,
        keys,
        names,
        planes,
        seed,
        notifier,
        tap,
      });
      undo.push(() => server.#close());
      for (const address of config.listen) {
        await planes.takeUdp(address, config.socket);
        await planes.takeStream(address, config.socket, false);
      }
      for (const address of config.tls?.listen ?? [])
        await planes.takeStream(address, config.socket, true);
      await server.#attach(host);
      return server;
    } catch (failed) {
      for (const step of undo.toReversed()) await step();
      throw failed;
    }
  }

  private constructor(
    name: string,
    config: NsConfig,
    host: Host,
    parts: {
      zones: Zones;
      secondaries: Secondaries;
      keys: readonly TsigKey[];
      names: ComputedNames | undefined;
      planes: Planes;
      seed: number;
      notifier: Lease<Notifier>;
      tap: ServerTap | undefined;
    },
  ) {
    const { zones, secondaries, keys, names, planes, seed, notifier, tap } = parts;
    this.name = name;
    this.config = config;
    this.zones = zones;
    this.secondaries = secondaries;
    this.names = names;
    this.#planes = planes;
    this.#host = host;
    this.#keys = keys;
    this.#notifier = notifier;
    this.#tap = tap;
    this.traffic = new Traffic(name, host.metrics);
    this.#queryLog = queryLog(config, host);
    this.responder = responderFor(config, host, {
      zones,
      secondaries,
      names,
      keys,
      seed,
      traffic: this.traffic,
      log: this.#queryLog?.note,
      tap: tap?.tap,
    });
  }

  /** Summed over the workers. */
  stats(): Record<string, unknown> {
    return { answers: this.traffic.answered, names: this.names?.size ?? 0 };
  }

  /** Where it listens, HTTPS aside. Answers are counted by transport. */
  listeners(): ListenerFigures[] {
    const all = this.#planes.show().map((listener) => {
      const [transport = ""] = listener.split(" ");
      return { listener, transport: transport as Transport };
    });
    return all.map(({ listener, transport }) => {
      const alone = all.filter((one) => one.transport === transport).length === 1;
      return {
        listener,
        port: Number(/:(\d+)$/.exec(listener)?.[1] ?? 0),
        sites: [`dns ${this.name}`],
        ...(alone && { requests: this.traffic.answeredBy(transport) }),
      };
    });
  }

  /** Take the traffic. */
  start(): void {
    const { responder, traffic } = this;
    this.#tap?.begin();
    const { idle, max_connections: connections, per_client: perClient } = this.config.tcp;
    for (const { value } of this.#planes.udp)
      value.serve(responder, (count) => traffic.unsent(count));
    for (const { value } of this.#planes.streams)
      value.serve(responder, { connections, perClient, idle });
    this.#https?.open();
    if (this.#host.worker.index === 0)
      this.#host.log.info("answering", { server: this.name, listeners: this.#planes.show() });
    this.#announce();
    this.secondaries.begin((served) => {
      responder.forget();
      this.#announceSecondary(served);
    });
  }

  /** Tell the other servers of zones that they have not heard of. Once for all workers. */
  #announce(): void {
    if (this.#host.worker.index !== 0) return;
    const notifier = this.#notifier.value;
    for (const { name, config, file, zone } of this.zones.all) {
      if (file.announced === zone.serial) continue;
      file.announced = zone.serial;
      const key = this.#keys.find(
        (one) => showName(one.name) === `${canonical(config.tsig ?? "")}.`,
      );
      notifier.tell(name, zone, config.notify, key);
    }
  }

  /** The same for a zone that has come from elsewhere. */
  #announceSecondary({ name, config, secondary, key }: ServedSecondary): void {
    const { zone } = secondary.zone;
    if (this.#host.worker.index !== 0 || zone === undefined) return;
    if (secondary.announced === zone.serial) return;
    secondary.announced = zone.serial;
    this.#notifier.value.tell(name, zone, config.notify, key);
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const { responder } = this;
    for (const { value } of this.#planes.udp) value.leave(responder);
    await Promise.all([
      ...this.#planes.streams.map(({ value }) => value.leave(responder, deadline)),
      this.#https?.close(deadline),
    ]);
    await this.#planes.giveBack();
    await this.#notifier[Symbol.asyncDispose]();
    await this.zones.giveBack();
    await this.secondaries.giveBack();
    this.names?.close();
    await this.#tap?.giveBack();
    this.#close();
  }

  #close(): void {
    this.traffic.close();
    this.#queryLog?.close();
  }

  async #attach(host: Host): Promise<void> {
    const { https, socket } = this.config;
    if (https === null) return;
    const { path, hosts, listen, tls } = https;
    const { clock, certificates, http } = host;
    const handler = dnsOverHttps({
      path,
      answerer: this.responder,
      now: () => clock.now(),
      wall: Date.now,
    });
    this.#https = await http.attach({
      name: `dns.${this.name}`,
      listen,
      socket,
      hosts,
      path,
      tls,
      http2: true,
      http3: false,
      pipelining: true,
      handler: withChallenges(handler, certificates),
      limits: { ...DEFAULT_LIMITS, maxBody: MAX_MESSAGE },
    });
  }
}

function queryLog({ query_log: wanted }: NsConfig, { log }: Host): QueryLog | undefined {
  if (wanted === null) return undefined;
  const { file, sample, rotate, keep } = wanted;
  const onDropped = (lines: number, why: string): void =>
    log.error("lines of the query log were dropped", { file, lines, why });
  return new QueryLog(new LogFile(file, { rotate, keep, onDropped }), sample, Math.random);
}

async function prepareNames(
  server: string,
  config: NsConfig,
  zones: Zones,
  seed: number,
  host: Host,
): Promise<ComputedNames | undefined> {
  const { geoip, ecs, names } = config;
  if (Object.keys(names).length === 0) return undefined;
  return ComputedNames.prepare(names, {
    health: host.health,
    states: ManualStates.open(join(host.state, "dns", encodeURIComponent(server), "states.json")),
    places: geoip.length === 0 ? undefined : Places.open(geoip),
    lrrr: config.lrrr ?? undefined,
    ecs,
    seed,
    dice: Math.random,
    clock: host.clock,
    worker: host.worker.index,
    soaFor: (name) => zones.soaFor(name),
  });
}
