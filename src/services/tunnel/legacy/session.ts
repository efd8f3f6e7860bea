import { showCidr } from "../../../core/cidr.ts";
import { showIp } from "../../../core/ip.ts";
import type { Closable, Lease } from "../../../core/lease.ts";
import { UdtLost } from "../../../net/udt/stream.ts";
import type { Log } from "../../../observe/log.ts";
import { SysError } from "../../../sys/errno.ts";
import { sessionKey } from "../../../wire/3wdd/login.ts";
import { Metric } from "../../../wire/tunnel/metric.ts";
import type { Host } from "../../service.ts";
import { deviceOf, type TunnelConfig } from "../config.ts";
import { Device } from "../device.ts";
import { priority } from "../priority.ts";
import { roleOf } from "../role.ts";
import { type Event, Scripts } from "../scripts.ts";
import type { Traffic } from "../traffic.ts";
import { call } from "./call.ts";
import type { Conversation } from "./conversation.ts";
import type { Door } from "./door.ts";
import { md5 } from "./door.ts";
import { Frames } from "./frames.ts";

/** An idle libudt speaks twice a second: whoever is silent for so long is gone. */
const DEAD_MS = 5000;
const LOOK_MS = 500;
/** Between two calls to a server that does not answer or let us in. */
const AGAIN_MS = 1000;
/** How often a device is tried for that another still has. */
const DEVICE_RETRY_MS = 200;

/** What a session needs of its config, checked: see config.ts. */
export interface LegacyParts {
  readonly name: string;
  readonly config: TunnelConfig;
  readonly token: string;
  readonly place: number;
  readonly host: Host;
  readonly door: Lease<Door>;
}

/** One tunnel to an old 3wdd, or to one of ours that pretends to be one. */
export class LegacySession implements Closable {
  readonly name: string;
  readonly config: TunnelConfig;
  readonly key: string;
  readonly #host: Host;
  readonly #log: Log;
  readonly #door: Lease<Door>;
  readonly #place: number;
  readonly #frames: Frames;
  readonly #metric: Metric;
  readonly #scripts: Scripts;
  readonly #ended = new AbortController();
  #device: Device | undefined;
  #conversation: Conversation | undefined;
  #since: number | undefined;
  #priority = 0;
  #held = false;
  #started = false;

  constructor({ name, config, token, place, host, door }: LegacyParts) {
    this.name = name;
    this.config = config;
    this.key = sessionKey(name, token, md5);
    this.#host = host;
    this.#log = host.log.with({ tunnel: name });
    this.#door = door;
    this.#place = place;
    this.#frames = new Frames(config, this.key, host.reactor);
    const { metric } = config;
    this.#metric = new Metric(typeof metric === "number" ? { hysteresis: 1, hold: 0 } : metric);
    this.#scripts = new Scripts(config.scripts, this.#log);
  }

  get traffic(): Traffic {
    return this.#frames.traffic;
  }
  get door(): Door {
    return this.#door.value;
  }
  get device(): Device | undefined {
    return this.#device;
  }
  get priority(): number {
    return this.#priority;
  }
  get isHeld(): boolean {
    return this.#held;
  }
  get isUp(): boolean {
    return this.#conversation !== undefined;
  }
  /** When the peer logged in, by the clock of performance.now(). */
  get since(): number | undefined {
    return this.#since;
  }
  /** Where the peer is. */
  get peer(): string | undefined {
    return this.#conversation?.peer;
  }
  get stats() {
    return this.#conversation?.stream.stats;
  }

  /** Take the traffic; once, whatever configs come and go that want the same. */
  start(): void {
    if (this.#started || this.door.isRehearsal) return;
    this.#started = true;
    void this.#run();
  }

  /** Carry nothing until `raise`. */
  hold(): void {
    this.#held = true;
    this.drop();
  }
  raise(): void {
    this.#held = false;
  }
  /** Break the connection: a client calls again. */
  drop(): void {
    this.#conversation?.stream.abort();
  }

  async close(): Promise<void> {
    this.#ended.abort();
    const { sessions } = this.door;
    if (sessions.get(this.name)?.key === this.key) sessions.delete(this.name);
    this.drop();
    await this.#scripts.done();
    await this.#closeDevice();
    await this.#door[Symbol.asyncDispose]();
  }

  async #closeDevice(): Promise<void> {
    if (this.#device === undefined) return;
    this.#frames.close();
    await this.#device.close();
    this.#device = undefined;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    try {
      this.#device = await this.#takeDevice(signal);
      if (this.#device === undefined) return;
      this.#frames.open(this.#device.tun);
      this.#device.shape(this.config);
      this.#reroute();
    } catch (error) {
      this.#log.error("a tunnel's device cannot be what it should", { error });
      return;
    }
    if (roleOf(this.config) === "server")
      this.door.sessions.set(this.name, { key: this.key, welcome: (one) => this.#welcome(one) });
    else void this.#reach(signal);
    while (!signal.aborted) {
      this.#look();
      await this.#host.clock.sleep(LOOK_MS, signal).catch(() => {}); // aborted: the loop sees it
    }
  }

  async #takeDevice(signal: AbortSignal): Promise<Device | undefined> {
    const { netns } = this.config;
    while (!signal.aborted) {
      try {
        return new Device(deviceOf(this.name, this.config), { netns, offload: false });
      } catch (error) {
        if (!(error instanceof SysError) || error.code !== "EBUSY") throw error;
      }
      await this.#host.clock.sleep(DEVICE_RETRY_MS, signal).catch(() => {}); // the same
    }
    return undefined;
  }

  /** Is the peer there still, and how far? */
  #look(): void {
    const conversation = this.#conversation;
    if (conversation === undefined) return;
    const { heardAt, rtt } = conversation.stream.stats;
    if (performance.now() - heardAt / 1000 > DEAD_MS) return this.drop();
    if (this.#metric.consider(rtt / 1000, performance.now())) this.#reroute();
  }

  /** Call the server, as often as it takes. */
  async #reach(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const reached = this.#held
          ? "nowhere"
          : await call(this.door, this.name, this.key, this.config);
        if (reached === "refused") this.#log.warn("an old 3wdd does not let us in");
        else if (reached !== "nowhere" && !signal.aborted) await this.#carry(reached);
      } catch (error) {
        if (!(error instanceof UdtLost)) throw error;
        this.#log.debug("no answer of an old 3wdd", { error });
      }
      await this.#host.clock.sleep(AGAIN_MS, signal).catch(() => {}); // aborted: the loop sees it
    }
  }

  #welcome(conversation: Conversation): void {
    if (this.#held) conversation.stream.abort();
    else void this.#carry(conversation);
  }

  /** Frames become packets until the conversation ends, or another takes its place. */
  async #carry(conversation: Conversation): Promise<void> {
    const before = this.#conversation;
    this.#conversation = conversation;
    this.#frames.stream = conversation.stream;
    this.#since = performance.now();
    before?.stream.abort();
    if (before === undefined) this.#turned(true);
    const { inbox, stream } = conversation;
    try {
      do
        for (let body = inbox.frame(); body !== undefined; body = inbox.frame())
          this.#frames.deliver(body);
      while (await conversation.hear());
    } catch (error) {
      if (!(error instanceof UdtLost)) throw error;
    } finally {
      stream.abort();
      if (this.#conversation === conversation) {
        this.#conversation = undefined;
        this.#frames.stream = undefined;
        this.#turned(false);
      }
    }
  }

  #turned(up: boolean): void {
    if (up) this.#log.info("a tunnel is up", { peer: this.peer });
    else this.#log.info("a tunnel is down");
    this.#reroute();
    this.#script(up ? "up" : "down");
  }

  #reroute(): void {
    const device = this.#device;
    if (device === undefined || this.#ended.signal.aborted) return;
    const { metric, routes } = this.config;
    const fixed = typeof metric === "number" ? metric : undefined;
    const had = this.#priority;
    const place = this.#place;
    this.#priority = priority(this.#metric.told, { fixed, place, alive: this.isUp });
    try {
      device.route(this.#held ? [] : routes.map((to) => ({ to, metric: this.#priority })));
    } catch (error) {
      this.#log.error("a tunnel's routes cannot be made", { error });
    }
    if (had !== 0 && had !== this.#priority) this.#script("route_change");
  }

  #script(event: Event): void {
    const { config } = this;
    const text = (values: readonly unknown[]): string => values.join(" ");
    this.#scripts.run(event, deviceOf(this.name, config), {
      TERN_TUNNEL: this.name,
      TERN_STATE: this.isUp ? "up" : "down",
      TERN_PEER: this.peer ?? "",
      TERN_METRIC: String(this.#priority),
      TERN_MTU: String(config.mtu),
      TERN_ROUTES: text(this.#device?.routes.map(({ to }) => showCidr(to)) ?? []),
      TERN_LOCAL: text(config.local.map(({ address }) => showIp(address))),
      TERN_REMOTE: text(config.remote.map(showIp)),
    });
  }
}
