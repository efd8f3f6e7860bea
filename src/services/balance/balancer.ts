import { showAddress } from "../../core/address.ts";
import type { Remote } from "../../net/http1/plain-transport.ts";
import type { Server } from "../../net/pools/pool.ts";
import { listenerName } from "../../net/sockets.ts";
import type { Dialer } from "../../net/tcp/dialer.ts";
import { type Destination, destination } from "../../sys/dial.ts";
import { abort } from "../../sys/socket.ts";
import type { ClientHello } from "../../wire/tls/client-hello.ts";
import type { Host } from "../service.ts";
import { Admission } from "./admission.ts";
import type { ServiceConfig } from "./config.ts";
import { Connection, type End } from "./connection.ts";
import { Engine } from "./engine.ts";
import { Gate, type Keeper } from "./gate.ts";
import { Leased } from "./leased.ts";
import { Places } from "./places.ts";
import { introduce } from "./proxy-out.ts";
import { rowOf, type SessionRow } from "./session-list.ts";
import { Sessions } from "./sessions.ts";
import { statsOf } from "./stats.ts";
import { type TlsParts, tlsParts } from "./tls/files.ts";
import { wayFor } from "./tls/way-for.ts";
import type { Carrier, Way } from "./way.ts";

/** Pause between two lines of the log about clients without a server. */
const UNSERVED_PAUSE_MS = 10_000;

/** One service under one config: who is let in, and what becomes of them. */
export class Balancer implements Keeper {
  readonly name: string;
  readonly config: ServiceConfig;
  readonly way: Way;
  readonly dialer: Dialer;
  readonly sessions: Sessions<Connection>;
  readonly #host: Host;
  /** The gates; and what open connections need, which is given back when they are over. */
  readonly #doors: Leased;
  readonly #leases: Leased;
  readonly #gates: readonly Gate[];
  readonly #admission: Admission;
  readonly #places: Places;
  readonly #destinations = new WeakMap<Server, Destination>();
  #quietUntil = 0;
  #later: ReturnType<typeof setTimeout> | undefined;

  /** Everything that can fail: sockets are bound. Rejects with SysError. */
  static async prepare(name: string, config: ServiceConfig, host: Host): Promise<Balancer> {
    const tls = tlsParts(config, host.certificates);
    const [leases, doors] = [new Leased(host), new Leased(host)];
    try {
      const engine = await leases.take("balance engine", async () => new Engine(host.reactor));
      const sessions = await leases.take(
        `balance ${name}`,
        async () => new Sessions<Connection>(name, host.metrics),
      );
      const places = await leases.take(
        `balance ${name} places`,
        async () => new Places(`balance ${name}`, host.tallies),
      );
      const gates: Gate[] = [];
      for (const at of config.listen)
        gates.push(
          await doors.take(`balance tcp ${listenerName(at, name)}`, async () => {
            const socket = await host.sockets.take(at, config.socket, `balance ${name}`);
            const { reactor, log } = host;
            return new Gate({ address: at, socket, options: config.socket, reactor, log });
          }),
        );
      return new Balancer(name, config, host, {
        leases,
        doors,
        engine,
        sessions,
        places,
        gates,
        tls,
      });
    } catch (failed) {
      await doors.giveBack();
      await leases.giveBack();
      throw failed;
    }
  }

  private constructor(
    name: string,
    config: ServiceConfig,
    host: Host,
    parts: {
      leases: Leased;
      doors: Leased;
      engine: Engine;
      sessions: Sessions<Connection>;
      places: Places;
      gates: readonly Gate[];
      tls: TlsParts;
    },
  ) {
    const { leases, doors, engine, sessions, places, gates, tls } = parts;
    this.name = name;
    this.config = config;
    this.#host = host;
    this.#leases = leases;
    this.#doors = doors;
    this.#gates = gates;
    this.sessions = sessions;
    this.dialer = engine.dialer;
    this.#places = places;
    this.#admission = new Admission(config, sessions, `balance ${name}`, places, host);
    this.way = wayFor(config, tls, engine, host);
  }

  /** Its addresses, with the ports that the kernel chose. */
  get listeners(): string[] {
    return this.#gates.map((gate) => gate.name);
  }
  get hello(): boolean {
    return this.way.hello;
  }

  start(): void {
    this.sessions.keeper = this;
    this.#admission.begin();
    for (const gate of this.#gates) gate.serve(this);
  }

  /**
   * Let nobody in any more, unless another config of this service does already; then its
   * connections go on. Else they may finish until `deadline`.
   */
  async stop(deadline: AbortSignal): Promise<void> {
    for (const gate of this.#gates) gate.leave(this);
    clearTimeout(this.#later);
    this.#places.forget(this.#open);
    await this.#doors.giveBack(); // nobody shall wait at a door that does not open again
    if (this.sessions.keeper === this) await this.sessions.drain(deadline);
    this.#admission.close();
    await this.#leases.giveBack();
  }

  stats(): Record<string, unknown> {
    const { sessions } = this;
    const relay: Record<Carrier, number> = { splice: 0, sockmap: 0, copy: 0 };
    for (const connection of sessions.open) {
      const carrier = this.way.carrier(connection);
      if (carrier !== undefined) relay[carrier]++;
    }
    return statsOf(this, relay);
  }

  rows(now: number): Iterable<SessionRow> {
    return this.sessions.open.values().map((connection) => rowOf(connection, this.way, now));
  }

  room(): boolean {
    const wait = this.#admission.enter(this.#host.reactor.now);
    if (wait === Infinity) this.#places.wait(this.config.max_connections, this.#open);
    else if (wait > 0) this.#openIn(wait);
    return wait === 0;
  }

  unused(): void {
    this.#admission.unused();
  }

  readonly #open = (): void => {
    for (const gate of this.#gates) gate.open(this);
  };

  #openIn(ms: number): void {
    this.#later ??= setTimeout(() => {
      this.#later = undefined;
      this.#open();
    }, ms);
  }

  admit(fd: number, remote: Remote, hello: ClientHello | undefined): void {
    const { sessions, way } = this;
    const { worker, reactor } = this.#host;
    const { now } = reactor;
    const refused = this.#admission.refuses(remote.address);
    if (refused !== undefined) {
      sessions.turnedAway(refused);
      this.#places.leave();
      return abort(fd);
    }
    const id = sessions.next() * worker.count + worker.index;
    const connection = new Connection(this, id, fd, remote, now);
    sessions.add(connection);
    way.greet(connection, hello);
  }

  /** Where a server is, as the kernel wants it. Undefined when it cannot be reached from `source`. */
  destination(server: Server): Destination | undefined {
    const known = this.#destinations.get(server);
    if (known !== undefined && known.host === server.host && known.port === server.port)
      return known;
    const made = destination(server.host, server.port, this.config.source ?? undefined);
    if (made !== undefined) this.#destinations.set(server, made);
    return made;
  }

  /** A server is there: what it is to know first, then both sides are the way's. */
  join(connection: Connection, server: number, events: number): void {
    const { send_proxy: version } = this.config;
    if (version !== "off")
      introduce(connection, server, version, this.way.details?.(connection) ?? {});
    this.way.join(connection, server, events);
  }

  /** A connection is over. */
  left(connection: Connection, why: End): void {
    const { sessions, config } = this;
    sessions.left(connection);
    this.#places.leave();
    if (why === "tls") sessions.turnedAway("tls");
    if (UNSERVED.has(why)) {
      sessions.turnedAway("unserved");
      this.#complain(connection, why);
    }
    if (config.log === "connections") this.#write(connection, why);
  }

  #write({ id, remote, pool, server, up, down, began }: Connection, why: End): void {
    const ms = Math.round(performance.now() - began);
    this.#host.log.info("connection", {
      balance: this.name,
      id,
      client: showAddress({ kind: "tcp", host: remote.address, port: remote.port }),
      pool: pool?.name,
      server: server?.name,
      ms,
      up,
      down,
      end: why,
    });
  }

  /** A client without a server is worth a line, not one for each. */
  #complain({ pool }: Connection, why: End): void {
    const now = performance.now();
    if (now < this.#quietUntil) return;
    this.#quietUntil = now + UNSERVED_PAUSE_MS;
    this.#host.log.warn("a client got no server", { balance: this.name, pool: pool?.name, why });
  }
}

/** Ends that are failures of ours, or of the servers. */
const UNSERVED: ReadonlySet<End> = new Set(["no server", "queue", "exhausted"]);
