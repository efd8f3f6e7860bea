import { showCidr } from "../../core/cidr.ts";
import { showIp } from "../../core/ip.ts";
import type { Lease } from "../../core/lease.ts";
import type { Log } from "../../observe/log.ts";
import { Allowed } from "../../wire/tunnel/allowed.ts";
import type { Host } from "../service.ts";
import { deviceOf, type KeyedConfig } from "./config.ts";
import { endpointOf, hostOf } from "./endpoint.ts";
import type { Fence } from "./fence.ts";
import type { Hub } from "./hub.ts";
import type { Keeper } from "./keeper.ts";
import { takeFence, takeHub, takeLink } from "./leased.ts";
import type { Link } from "./link.ts";
import { Mooring } from "./mooring.ts";
import type { Port, Rules } from "./port.ts";
import { Reaching } from "./reaching.ts";
import { roleOf } from "./role.ts";
import { Room } from "./room.ts";
import { type Event, Scripts } from "./scripts.ts";
import { Squeezer } from "./squeezer.ts";
import type { Traffic } from "./traffic.ts";
import { Ways } from "./ways.ts";

/** Our end of one tunnel under one config. What it has is leased, and so survives it. */
export class TunnelEnd implements Keeper {
  readonly name: string;
  readonly config: KeyedConfig;
  readonly link: Link;
  readonly hub: Hub;
  readonly #log: Log;
  readonly #fence: Fence | undefined;
  readonly #leases: Lease<unknown>[];
  readonly #scripts: Scripts;
  readonly #ways: Ways;
  readonly #room: Room;
  readonly #reaching: Reaching | undefined;
  readonly #mooring: Mooring;
  /** An operator has taken it down. */
  #held = false;
  readonly #ended = new AbortController();

  /** Everything that can fail. `place`: where it stands in the config. Rejects with SysError. */
  static async prepare(
    name: string,
    config: KeyedConfig,
    host: Host,
    place: number,
  ): Promise<TunnelEnd> {
    const leases: Lease<unknown>[] = [];
    const keep = <T>(lease: Lease<T>): T => {
      leases.push(lease);
      return lease.value;
    };
    try {
      const hub = keep(await takeHub(name, config, host));
      const link = keep(await takeLink(name, config, hub, host));
      const fenced = config.routes.length > 0 && !hub.isRehearsal;
      const fence = fenced ? keep(await takeFence(name, config, host)) : undefined;
      const end = new TunnelEnd(name, config, host, { hub, link, fence, leases, place });
      if (!hub.isRehearsal) await end.#mooring.take();
      return end;
    } catch (failed) {
      for (const lease of leases.toReversed()) await lease[Symbol.asyncDispose]();
      throw failed;
    }
  }

  private constructor(
    name: string,
    config: KeyedConfig,
    host: Host,
    parts: {
      hub: Hub;
      link: Link;
      fence: Fence | undefined;
      leases: Lease<unknown>[];
      place: number;
    },
  ) {
    this.name = name;
    this.config = config;
    this.#log = host.log.with({ tunnel: name });
    this.hub = parts.hub;
    this.link = parts.link;
    this.#fence = parts.fence;
    this.#leases = parts.leases;
    this.#mooring = new Mooring(name, config, host, this.#log);
    this.#scripts = new Scripts(config.scripts, this.#log);
    this.#ways = new Ways(config, parts.place);
    this.#room = new Room(config);
    const { peer, resolve } = config;
    const begins = roleOf(config) === "client";
    const moved = (): void => this.#reroute();
    if (peer !== null)
      this.#reaching = new Reaching(
        this.link,
        { peer, resolve, begins, moved },
        { clock: host.clock, log: this.#log },
      );
  }

  get device(): string {
    return deviceOf(this.name, this.config);
  }
  get port(): Port | undefined {
    return this.#mooring.port;
  }
  get traffic(): Traffic {
    return this.link.traffic;
  }
  get isUp(): boolean {
    return this.link.alive;
  }
  /** Smoothed round trip, ms; NaN: not known. */
  get rtt(): number {
    return this.link.path.rtt;
  }
  /** Bytes of the longest packet that fits the path, as far as known. */
  get mtu(): number {
    return this.#room.mtu;
  }
  get isHeld(): boolean {
    return this.#held;
  }
  get priority(): number {
    return this.#ways.priority;
  }

  start(): void {
    this.link.keeper = this;
    this.#enclose((fence) => fence.raise(this.config.kill_switch ? this.config.routes : []));
    if (this.port === undefined) {
      this.#log.info("a tunnel's device is taken: waiting for it", { device: this.device });
      void this.#awaitPort();
    } else this.#serve(this.port);
    void this.#reaching?.run(this.#ended.signal);
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    const { link } = this;
    if (link.keeper === this) {
      link.keeper = undefined;
      link.relay = undefined;
      this.port?.leave(link);
      if (link.alive) this.#run("down");
      await this.#scripts.done();
    }
    await this.#mooring.release();
    for (const lease of this.#leases.toReversed()) await lease[Symbol.asyncDispose]();
  }

  turned(alive: boolean): void {
    this.#log.info(alive ? "a tunnel is up" : "a tunnel is down: nothing is heard of the peer", {
      peer: endpointOf(this.link.route),
    });
    if (!alive) this.#reaching?.lost();
    this.#reroute();
    this.#run(alive ? "up" : "down");
  }

  passed(length: number): void {
    const { now } = this.hub;
    if (this.#room.passed(length, now)) this.#fit();
    if (this.#ways.consider(this.link.path.score, now)) this.#reroute();
  }

  wonders(): number {
    const before = this.#room.mtu;
    const length = this.#room.next(this.hub.now, this.link.alive);
    if (this.#room.mtu !== before) this.#fit();
    return length;
  }

  ready(): void {
    this.port?.resume();
  }

  /** New keys, now. */
  rekey(): void {
    const { link } = this;
    link.session.begin(this.hub.now);
    link.drive(this.hub.now);
    this.hub.send();
  }

  /** Carry nothing until `raise`. */
  hold(): void {
    const port = this.port;
    if (this.#held || port === undefined) return;
    this.#held = true;
    this.link.hold();
    port.leave(this.link);
    port.device.route([]);
    this.#log.info("a tunnel was taken down");
  }
  raise(): void {
    const port = this.port;
    if (!this.#held || port === undefined) return;
    this.#held = false;
    this.link.resume();
    this.#log.info("a tunnel was taken up");
    this.#serve(port);
  }

  #serve(port: Port): void {
    const { config, link } = this;
    const { remote, routes } = config;
    const own = remote.map((base) => ({ base, bits: base.words.length * 32 }));
    const rules: Rules = {
      allowed: new Allowed(config.allow ?? [...own, ...routes]),
      clamp: config.mss_clamp,
      traffic: link.traffic,
      squeezer: config.compress === "off" ? undefined : new Squeezer(config.compress),
    };
    const { mtu } = this.#room;
    port.carriage.fit(mtu);
    port.serve(link, rules, () => void this.#wrecked());
    try {
      port.device.shape({ ...config, mtu });
    } catch (error) {
      this.#log.error("a tunnel's device cannot be what it should", { error });
    }
    this.#reroute();
    this.#enclose((fence) => fence.clear(routes));
  }

  #enclose(act: (fence: Fence) => void): void {
    try {
      if (this.#fence !== undefined) act(this.#fence);
    } catch (error) {
      this.#log.error("a tunnel's routes cannot be fenced", { error });
    }
  }

  /** The path carries more, or less. */
  #fit(): void {
    const port = this.port;
    const { mtu } = this.#room;
    if (port === undefined) return;
    this.#log.info("a tunnel's path carries packets of another length", { mtu });
    port.carriage.fit(mtu);
    try {
      port.device.setMtu(mtu);
    } catch (error) {
      this.#log.error("a tunnel's device cannot be what it should", { error });
    }
  }

  #reroute(): void {
    const port = this.port;
    if (port === undefined || this.#held) return;
    const { alive, route } = this.link;
    try {
      if (this.#ways.lay(port.device, { alive, host: hostOf(route) })) this.#run("route_change");
    } catch (error) {
      this.#log.error("a tunnel's routes cannot be made", { error });
    }
  }

  /** Another process has the device: the one we replace, or a worker before us. Or nobody has it any more. */
  async #awaitPort(): Promise<void> {
    const { signal } = this.#ended;
    const port = await this.#mooring.wait(signal);
    if (port !== undefined && !signal.aborted) this.#serve(port);
  }

  /** Somebody has deleted the device, with all that was on it. */
  async #wrecked(): Promise<void> {
    this.#log.warn("a tunnel's device was deleted: it is made again", { device: this.device });
    this.port?.leave(this.link);
    await this.#mooring.release();
    await this.#awaitPort();
  }

  #run(event: Event): void {
    const { config, link } = this;
    const text = (values: readonly unknown[]): string => values.join(" ");
    this.#scripts.run(event, this.device, {
      TERN_TUNNEL: this.name,
      TERN_STATE: link.alive ? "up" : "down",
      TERN_PEER: endpointOf(this.link.route) ?? "",
      TERN_METRIC: String(this.priority),
      TERN_MTU: String(this.port?.device.mtu ?? config.mtu),
      TERN_ROUTES: text(this.port?.device.routes.map(({ to }) => showCidr(to)) ?? []),
      TERN_LOCAL: text(config.local.map(({ address }) => showIp(address))),
      TERN_REMOTE: text(config.remote.map(showIp)),
    });
  }
}
