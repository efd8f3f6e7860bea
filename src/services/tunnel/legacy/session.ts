import { randomBytes } from "node:crypto";

import { showCidr } from "../../../core/cidr.ts";
import { parseIp, showIp } from "../../../core/ip.ts";
import type { Closable, Lease } from "../../../core/lease.ts";
import { READABLE } from "../../../net/reactor.ts";
import { UdtLost } from "../../../net/udt/stream.ts";
import type { Log } from "../../../observe/log.ts";
import { SysError } from "../../../sys/errno.ts";
import { block } from "../../../sys/memory.ts";
import { MAX_PACKET } from "../../../sys/tun.ts";
import { type Bodies, bodies, type Squeeze } from "../../../wire/3wdd/bodies.ts";
import { bodyCipher, type CipherName } from "../../../wire/3wdd/ciphers.ts";
import { emitFrame } from "../../../wire/3wdd/inbox.ts";
import { ClientLogin, sessionKey } from "../../../wire/3wdd/login.ts";
import { Allowed } from "../../../wire/tunnel/allowed.ts";
import { Metric } from "../../../wire/tunnel/metric.ts";
import { clampMss } from "../../../wire/tunnel/mss.ts";
import type { Host } from "../../service.ts";
import { deviceOf, type TunnelConfig } from "../config.ts";
import { Device } from "../device.ts";
import { addressesOf } from "../endpoint.ts";
import { priority } from "../priority.ts";
import { roleOf } from "../role.ts";
import { type Event, Scripts } from "../scripts.ts";
import { Traffic } from "../traffic.ts";
import { blocksOf } from "./blocks.ts";
import type { Conversation } from "./conversation.ts";
import type { Door } from "./door.ts";
import { md5 } from "./door.ts";
import { squeezers } from "./squeezers.ts";

/** Packets of the device before the neighbours in the event loop get their turn. */
const MAX_PACKETS = 32;
/** A longest frame, with all that a cipher puts around it. */
const FRAME_ROOM = 66_000;
/** An idle libudt speaks twice a second: whoever is silent for so long is gone. */
const DEAD_MS = 5000;
const LOOK_MS = 500;
/** Between two calls to a server that does not answer or let us in. */
const AGAIN_MS = 1000;
/** How often a device is tried for that another still has. */
const DEVICE_RETRY_MS = 200;
const SMALLEST = 20;

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
  readonly traffic = new Traffic();
  readonly #host: Host;
  readonly #log: Log;
  readonly #door: Lease<Door>;
  readonly #place: number;
  readonly #bodies: Bodies;
  readonly #allowed: Allowed;
  readonly #metric: Metric;
  readonly #scripts: Scripts;
  readonly #ended = new AbortController();
  readonly #out = block(MAX_PACKET);
  readonly #in = block(MAX_PACKET);
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
    const cipher = bodyCipher(
      config.cipher as CipherName, // config.ts lets no other pass
      (kind) => blocksOf(kind, this.key),
      (count) => new Uint8Array(randomBytes(count)),
    );
    const { mtu, metric, remote, routes } = config;
    this.#bodies = bodies({ cipher, squeeze: config.compress as Squeeze, mtu }, squeezers); // the same
    const own = remote.map((base) => ({ base, bits: base.words.length * 32 }));
    this.#allowed = new Allowed(config.allow ?? [...own, ...routes]);
    this.#metric = new Metric(typeof metric === "number" ? { hysteresis: 1, hold: 0 } : metric);
    this.#scripts = new Scripts(config.scripts, this.#log);
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
    this.#host.reactor.remove(this.#device.tun.fd);
    await this.#device.close();
    this.#device = undefined;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    try {
      this.#device = await this.#takeDevice(signal);
      if (this.#device === undefined) return;
      this.#host.reactor.add(this.#device.tun.fd, READABLE, this.#ready);
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
        const conversation = this.#held ? undefined : await this.#call();
        if (conversation !== undefined && !signal.aborted) await this.#carry(conversation);
      } catch (error) {
        if (!(error instanceof UdtLost)) throw error;
        this.#log.debug("no answer of an old 3wdd", { error });
      }
      await this.#host.clock.sleep(AGAIN_MS, signal).catch(() => {}); // aborted: the loop sees it
    }
  }

  /** Shake hands and log in, perhaps at another port than the one asked first. */
  async #call(): Promise<Conversation | undefined> {
    const { peer } = this.config;
    const addresses = peer === null ? [] : await addressesOf(peer);
    // The login has room for nothing but IPv4.
    const server = addresses.find((one) => parseIp(one)?.version === 4);
    if (peer === null || server === undefined) return undefined;
    let { port } = peer;
    for (const redirect of [true, false]) {
      const conversation = await this.door.dial(server, port);
      const login = new ClientLogin({ name: this.name, server, port, redirect }, this.key, md5);
      const step = await this.door.hurry(conversation, conversation.logIn(login));
      if (step.kind === "accepted") return conversation;
      conversation.stream.abort();
      if (step.kind !== "elsewhere") break;
      port = step.port;
    }
    this.#log.warn("an old 3wdd does not let us in");
    return undefined;
  }

  #welcome(conversation: Conversation): void {
    if (this.#held) conversation.stream.abort();
    else void this.#carry(conversation);
  }

  /** Frames become packets until the conversation ends, or another takes its place. */
  async #carry(conversation: Conversation): Promise<void> {
    const before = this.#conversation;
    this.#conversation = conversation;
    this.#since = performance.now();
    before?.stream.abort();
    if (before === undefined) this.#turned(true);
    const { inbox, stream } = conversation;
    try {
      do
        for (let body = inbox.frame(); body !== undefined; body = inbox.frame())
          this.#deliver(body);
      while (await conversation.hear());
    } catch (error) {
      if (!(error instanceof UdtLost)) throw error;
    } finally {
      stream.abort();
      if (this.#conversation === conversation) {
        this.#conversation = undefined;
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

  #deliver(body: Uint8Array): void {
    const { traffic } = this;
    traffic.received++;
    traffic.receivedBytes += body.length;
    const packet = this.#bodies.parse(body);
    if (packet === undefined || packet.length < SMALLEST || packet.length > MAX_PACKET) {
      traffic.malformed++;
      return;
    }
    const memory = this.#in;
    memory.bytes.set(packet);
    if (!this.#allowed.source(memory.view, 0, packet.length)) {
      traffic.foreign++;
      return;
    }
    if (this.config.mss_clamp) clampMss(memory, 0, packet.length, this.config.mtu, false);
    const { tun } = this.#device ?? {};
    if (tun === undefined || tun.write(memory.at, packet.length) < 0) traffic.refused++;
    else traffic.delivered++;
  }

  /** Packets of the device become frames, while the stream has room. */
  readonly #ready = (): void => {
    const { tun } = this.#device ?? {};
    const memory = this.#out;
    for (let i = 0; tun !== undefined && i < MAX_PACKETS; i++) {
      const stream = this.#conversation?.stream;
      const room = stream?.state === "open" ? stream.room(FRAME_ROOM) : undefined;
      if (room !== undefined) return this.#pause(tun.fd, room);
      const n = tun.read(memory.at, MAX_PACKET);
      if (n < 0) return;
      if (stream?.state !== "open") {
        this.traffic.unsent++;
        continue;
      }
      if (this.config.mss_clamp) clampMss(memory, 0, n, this.config.mtu, false);
      const frame = emitFrame(this.#bodies.emit(memory.bytes.subarray(0, n)));
      if (frame === undefined) {
        this.traffic.unsent++;
        continue;
      }
      void stream.write(frame); // there is room
      this.traffic.sent++;
      this.traffic.sentBytes += frame.length;
    }
  };

  #pause(fd: number, room: Promise<void>): void {
    const { reactor } = this.#host;
    reactor.modify(fd, 0);
    void room.then(() => {
      if (this.#device?.tun.fd === fd) reactor.modify(fd, READABLE);
    });
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
