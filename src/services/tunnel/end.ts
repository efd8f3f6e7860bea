import { contains, showCidr } from "../../core/cidr.ts";
import { parseIp, showIp } from "../../core/ip.ts";
import type { Lease } from "../../core/lease.ts";
import { listenerName } from "../../net/sockets.ts";
import type { Log } from "../../observe/log.ts";
import { endOf } from "../../sys/datagram-trains.ts";
import { SysError } from "../../sys/errno.ts";
import { show } from "../../sys/sockaddr.ts";
import { Allowed } from "../../wire/tunnel/allowed.ts";
import { Metric } from "../../wire/tunnel/metric.ts";
import { MtuSearch } from "../../wire/tunnel/mtu-search.ts";
import { REPAIR_AROUND } from "../../wire/tunnel/repair.ts";
import type { Host } from "../service.ts";
import { deviceOf, type KeyedConfig } from "./config.ts";
import { Device } from "./device.ts";
import { addressesOf, nextAddress } from "./endpoint.ts";
import { Hub } from "./hub.ts";
import { conversationId, deviceId, keysOf } from "./identity.ts";
import { type Keeper, Link } from "./link.ts";
import { PacketCarriage } from "./packet-carriage.ts";
import { socketOf } from "./placement.ts";
import { Port, type Rules } from "./port.ts";
import { priority } from "./priority.ts";
import { RepairedCarriage } from "./repaired-carriage.ts";
import { roleOf } from "./role.ts";
import { type Event, Scripts } from "./scripts.ts";
import type { Traffic } from "./traffic.ts";
import { UncutCarriage } from "./uncut-carriage.ts";

/** Bytes of datagrams that the kernel may hold for us each way: as wireguard-go has it. */
const SOCKET_BUFFER = 7 * 1024 * 1024;
/** How often a device is tried for that another process still has (an upgrade: the old one). */
const DEVICE_RETRY_MS = 200;
/** What IPv6 asks of every link (RFC 8200, 5), unless the operator wants less. */
const LEAST_MTU = 1280;
/** How often a name is looked up that nobody knows. */
const UNKNOWN_MS = 1000;

/** Our end of one tunnel under one config. What it has is leased, and so survives it. */
export class TunnelEnd implements Keeper {
  readonly name: string;
  readonly config: KeyedConfig;
  readonly link: Link;
  readonly hub: Hub;
  readonly #host: Host;
  readonly #log: Log;
  readonly #place: number;
  readonly #leases: Lease<unknown>[];
  readonly #scripts: Scripts;
  readonly #metric: Metric;
  readonly #fixed: number | undefined;
  #port: Port | undefined;
  readonly #search: MtuSearch | undefined;
  /** Bytes that a packet has around it besides, when it is repaired. */
  readonly #around: number;
  #priority = 0;
  /** An operator has taken it down. */
  #held = false;
  readonly #ended = new AbortController();
  /** Aborted when the peer is not heard any more: it may be elsewhere. */
  #lost = new AbortController();

  /** Everything that can fail. `place`: where it stands in the config. Rejects with SysError. */
  static async prepare(
    name: string,
    config: KeyedConfig,
    host: Host,
    place: number,
  ): Promise<TunnelEnd> {
    const leases: Lease<unknown>[] = [];
    const take = async <T extends { close(): Promise<void> }>(
      key: string,
      make: () => Promise<T>,
    ): Promise<T> => {
      const lease = (await host.leases.take(key, make)) as Lease<T>; // made under that name
      leases.push(lease);
      return lease.value;
    };
    try {
      const keys = keysOf(config);
      const owner = `tunnel ${name}`;
      const address = config.listen ?? { kind: "tcp" as const, host: "", port: 0 };
      const hub = await take(
        `tunnel udp ${socketOf(name, config)} ${listenerName(address, owner)}`,
        async () => {
          const { reactor } = host;
          const socket = await host.sockets.takeDatagram(
            address,
            {
              reusePort: true,
              buffer: SOCKET_BUFFER,
              dontFragment: config.pmtu && !config.wireguard,
            },
            owner,
          );
          return new Hub({ address, socket, reactor });
        },
      );
      const { wireguard, keepalive, probe } = config;
      const link = await take(
        `tunnel link ${conversationId(name, config)}`,
        async () =>
          new Link({
            name,
            hub,
            keys,
            wireguard,
            keepalive,
            probe,
            reaches: config.peer !== null,
            log: host.log,
          }),
      );
      const end = new TunnelEnd(name, config, host, { hub, link, leases, place });
      if (!hub.isRehearsal) await end.#takePort();
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
    parts: { hub: Hub; link: Link; leases: Lease<unknown>[]; place: number },
  ) {
    this.name = name;
    this.config = config;
    this.#host = host;
    this.#log = host.log.with({ tunnel: name });
    this.hub = parts.hub;
    this.link = parts.link;
    this.#leases = parts.leases;
    this.#place = parts.place;
    this.#scripts = new Scripts(config.scripts, this.#log);
    const { metric, pmtu, wireguard, mtu } = config;
    // WireGuard's peers can be asked nothing.
    this.#around = config.transport === "udt" ? REPAIR_AROUND : 0;
    this.#search =
      pmtu && !wireguard ? new MtuSearch(LEAST_MTU + this.#around, mtu + this.#around) : undefined;
    this.#fixed = typeof metric === "number" ? metric : undefined;
    this.#metric = new Metric(typeof metric === "number" ? { hysteresis: 1, hold: 0 } : metric);
  }

  get device(): string {
    return deviceOf(this.name, this.config);
  }
  get port(): Port | undefined {
    return this.#port;
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
  get isHeld(): boolean {
    return this.#held;
  }
  get priority(): number {
    return this.#priority;
  }

  start(): void {
    this.link.keeper = this;
    if (this.#port === undefined) void this.#awaitPort();
    else this.#serve(this.#port);
    if (this.config.peer !== null) void this.#reach();
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    const { link } = this;
    if (link.keeper === this) {
      link.keeper = undefined;
      this.#port?.leave(link);
      if (link.alive) this.#run("down");
      await this.#scripts.done();
    }
    for (const lease of this.#leases.toReversed()) await lease[Symbol.asyncDispose]();
  }

  turned(alive: boolean): void {
    this.#log.info(alive ? "a tunnel is up" : "a tunnel is down: nothing is heard of the peer", {
      peer: this.endpoint,
    });
    if (!alive) this.#lost.abort();
    this.#reroute();
    this.#run(alive ? "up" : "down");
  }

  passed(length: number): void {
    const { now } = this.hub;
    if (this.#search?.passed(length, now)) this.#fit();
    if (this.#metric.consider(this.link.path.score, now)) this.#reroute();
  }

  wonders(): number {
    const search = this.#search;
    if (search === undefined) return 0;
    const before = search.current;
    // Whoever is heard answers short questions: silence then speaks of the length.
    const length = search.next(this.hub.now, this.link.alive);
    if (search.current !== before) this.#fit();
    return length;
  }

  ready(): void {
    this.#port?.resume();
  }

  /** Where the peer is, as text. */
  get endpoint(): string | undefined {
    const { route } = this.link;
    const end = route && endOf(route);
    return (
      end &&
      show(end)
        .replace("[::ffff:", "[")
        .replace(/^\[([\d.]+)\]/, "$1")
    );
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
    const port = this.#port;
    if (this.#held || port === undefined) return;
    this.#held = true;
    this.link.hold();
    port.leave(this.link);
    port.device.route([]);
    this.#log.info("a tunnel was taken down");
  }
  raise(): void {
    const port = this.#port;
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
    };
    const mtu = this.#mtu;
    port.carriage.fit(mtu);
    port.serve(link, rules);
    try {
      port.device.shape({ ...config, mtu });
    } catch (error) {
      this.#log.error("a tunnel's device cannot be what it should", { error });
    }
    this.#reroute();
  }

  /** The longest packet that the path carries, as far as known. */
  get #mtu(): number {
    const { current } = this.#search ?? {};
    return current === undefined ? this.config.mtu : current - this.#around;
  }

  /** The path carries more, or less. */
  #fit(): void {
    const port = this.#port;
    const mtu = this.#mtu;
    if (port === undefined) return;
    this.#log.info("a tunnel's path carries packets of another length", { mtu });
    port.carriage.fit(mtu);
    try {
      port.device.setMtu(mtu);
    } catch (error) {
      this.#log.error("a tunnel's device cannot be what it should", { error });
    }
  }

  /** The routes as they should be now. */
  #reroute(): void {
    const port = this.#port;
    if (port === undefined || this.#held) return;
    // WireGuard's peers cannot be asked whether they are there: the first packet finds out.
    const alive = this.link.alive || this.config.wireguard;
    const next = priority(this.#metric.told, { fixed: this.#fixed, place: this.#place, alive });
    const had = port.device.routes.length > 0;
    const changed = next !== this.#priority;
    this.#priority = next;
    const { routes, peer, netns } = this.config;
    const host = this.#endpointHost();
    // Where the peer is, its own tunnel cannot lead; and that has to be known first.
    if (peer !== null && host === undefined) return;
    const inside = host !== undefined && netns === null && routes.some((to) => contains(to, host));
    try {
      port.device.goAround(inside ? parseIp(host) : undefined);
      port.device.route(routes.map((to) => ({ to, metric: next })));
    } catch (error) {
      this.#log.error("a tunnel's routes cannot be made", { error });
    }
    if (had && changed) this.#run("route_change");
  }

  async #takePort(): Promise<void> {
    const { config, name } = this;
    const { reactor, leases } = this.#host;
    const make = async (): Promise<Port> => {
      const { netns, wireguard, transport, mtu, repair } = config;
      const device = new Device(this.device, { netns, offload: !wireguard });
      const { tun } = device;
      return new Port(device, reactor, (rules) => {
        if (wireguard) return new PacketCarriage(tun, rules);
        if (transport === "datagram") return new UncutCarriage(tun, rules);
        return new RepairedCarriage(tun, rules, reactor, { mtu, ...repair });
      });
    };
    try {
      const lease = await leases.take(`tunnel device ${deviceId(name, config)}`, make);
      this.#leases.push(lease);
      this.#port = lease.value as Port; // made under that name
    } catch (error) {
      if (!(error instanceof SysError) || error.code !== "EBUSY") throw error;
    }
  }

  /** Another process has the device: the one we replace, or a worker before us. */
  async #awaitPort(): Promise<void> {
    const { signal } = this.#ended;
    this.#log.info("a tunnel's device is taken: waiting for it", { device: this.device });
    while (!signal.aborted && this.#port === undefined) {
      await this.#host.clock.sleep(DEVICE_RETRY_MS, signal).catch(() => {});
      if (signal.aborted) return;
      try {
        await this.#takePort();
      } catch (error) {
        this.#log.error("a tunnel has no device", { error });
        return;
      }
    }
    if (this.#port !== undefined && !signal.aborted) this.#serve(this.#port);
  }

  /** Find out where the peer is and reach for it: at first, and while it is silent. */
  async #reach(): Promise<void> {
    const { peer, resolve } = this.config;
    const { signal } = this.#ended;
    const { link, hub } = this;
    for (let at: string | undefined; peer !== null && !signal.aborted;) {
      if (!link.alive && !link.held) {
        const all = await addressesOf(peer);
        if (signal.aborted) return;
        const known = this.#endpointHost();
        // At first where the conversation is already, then one after another.
        at =
          at === undefined && known !== undefined && all.includes(known)
            ? known
            : nextAddress(all, at);
        if (at === undefined) this.#log.warn("a peer's name is unknown", { peer: peer.host });
        const route = at === undefined ? undefined : hub.routeTo(at, peer.port);
        if (route !== undefined) link.moved(route);
        this.#reroute();
        if (link.route !== undefined && roleOf(this.config) === "client") {
          link.session.begin(hub.now);
          link.drive(hub.now);
          hub.send();
        }
      }
      this.#lost = new AbortController();
      const sooner = AbortSignal.any([signal, this.#lost.signal]);
      await this.#host.clock
        .sleep(at === undefined && !link.alive ? UNKNOWN_MS : resolve, sooner)
        .catch(() => {});
    }
  }

  #endpointHost(): string | undefined {
    const { route } = this.link;
    const end = route && endOf(route);
    if (end === undefined || !("host" in end)) return undefined;
    const ip = parseIp(end.host);
    return ip?.version === 4 ? end.host.replace(/^::ffff:/, "") : end.host;
  }

  #run(event: Event): void {
    const { config, link } = this;
    const text = (values: readonly unknown[]): string => values.join(" ");
    this.#scripts.run(event, this.device, {
      TERN_TUNNEL: this.name,
      TERN_STATE: link.alive ? "up" : "down",
      TERN_PEER: this.endpoint ?? "",
      TERN_METRIC: String(this.#priority),
      TERN_MTU: String(this.#port?.device.mtu ?? config.mtu),
      TERN_ROUTES: text(this.#port?.device.routes.map(({ to }) => showCidr(to)) ?? []),
      TERN_LOCAL: text(config.local.map(({ address }) => showIp(address))),
      TERN_REMOTE: text(config.remote.map(showIp)),
    });
  }
}
