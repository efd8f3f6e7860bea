import type { Pool, Server } from "../../../net/pools/pool.ts";
import { listenerName } from "../../../net/sockets.ts";
import { type Destination, destination } from "../../../sys/dial.ts";
import type { Host } from "../../service.ts";
import { Admission } from "../admission.ts";
import { enabledGroup, type ServiceConfig } from "../config.ts";
import { Leased } from "../leased.ts";
import { Places } from "../places.ts";
import type { SessionRow } from "../session-list.ts";
import { Sessions } from "../sessions.ts";
import { statsOf } from "../stats.ts";
import type { UdpClient } from "./udp-client.ts";
import { UdpGate, type UdpKeeper } from "./udp-gate.ts";
import { UdpSession } from "./udp-session.ts";

/** Bytes of datagrams that the kernel may hold while we are at something else. */
const UDP_BUFFER = 8 * 1024 * 1024;
/** At its end it waits for answers that are on their way, and looks for them so often. */
const LAST_ANSWERS_MS = 2000;
const LOOK_MS = 20;
/** Pause between two lines of the log about clients without a server. */
const UNSERVED_PAUSE_MS = 10_000;

/** One UDP service under one config: who is let in, and which server gets them. */
export class UdpBalancer implements UdpKeeper {
  readonly name: string;
  readonly config: ServiceConfig;
  readonly sessions: Sessions<UdpSession>;
  readonly #host: Host;
  readonly #leases: Leased;
  readonly #gates: readonly UdpGate[];
  readonly #admission: Admission;
  readonly #places: Places;
  readonly #destinations = new WeakMap<Server, Destination>();
  #quietUntil = 0;

  /** Everything that can fail: sockets are bound. Rejects with SysError. */
  static async prepare(name: string, config: ServiceConfig, host: Host): Promise<UdpBalancer> {
    const leases = new Leased(host);
    try {
      const sessions = await leases.take(
        `balance ${name} udp`,
        async () => new Sessions<UdpSession>(name, host.metrics),
      );
      const places = await leases.take(
        `balance udp ${name} places`,
        async () => new Places(`balance udp ${name}`, host.tallies),
      );
      const gates: UdpGate[] = [];
      for (const address of config.listen)
        gates.push(
          await leases.take(`balance udp ${listenerName(address, name)}`, async () => {
            const { reusePort } = config.socket;
            const wishes = { reusePort, buffer: UDP_BUFFER };
            const socket = await host.sockets.takeDatagram(address, wishes, `balance ${name}`);
            const { reactor, tallies } = host;
            return new UdpGate({ address, socket, reactor, tallies });
          }),
        );
      return new UdpBalancer(name, config, host, { leases, sessions, places, gates });
    } catch (failed) {
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
      sessions: Sessions<UdpSession>;
      places: Places;
      gates: readonly UdpGate[];
    },
  ) {
    const { leases, sessions, places, gates } = parts;
    this.name = name;
    this.config = config;
    this.#host = host;
    this.#leases = leases;
    this.sessions = sessions;
    this.#gates = gates;
    this.#places = places;
    this.#admission = new Admission(config, sessions, `balance udp ${name}`, places, host);
  }

  get listeners(): string[] {
    return this.#gates.map((gate) => `udp ${gate.name}`);
  }
  /** Of the group that is enabled. */
  get pool(): Pool {
    const { groups } = this.config;
    return this.#host.pools.pool(groups[enabledGroup(this.config)]?.pool ?? "");
  }
  get idle(): number {
    return this.config.udp.idle;
  }
  /** Datagrams that answer one of the client's; 0: any number. */
  get replies(): number {
    return this.config.udp.replies;
  }
  /** Milliseconds that a server may take for its first answer, when there has to be one. */
  get patience(): number {
    return this.config.connect_timeout;
  }

  start(): void {
    this.sessions.keeper = this;
    this.#admission.begin();
    for (const gate of this.#gates) gate.serve(this);
  }

  /**
   * Let nobody in any more, unless another config does already. Where another process does, clients
   * stay until they are idle; else who waits for an answer may get it.
   */
  async stop(deadline: AbortSignal): Promise<void> {
    for (const gate of this.#gates) gate.leave(this);
    if (this.sessions.keeper === this) {
      const late = performance.now() + LAST_ANSWERS_MS;
      while (!deadline.aborted && this.sessions.open.size > 0) {
        const succeeded = this.#gates.some((gate) => gate.succeeded);
        if (!succeeded && (performance.now() >= late || !this.#awaited())) break;
        await Bun.sleep(LOOK_MS);
      }
      for (const session of this.sessions.open) session.end();
    }
    this.#admission.close();
    await this.#leases.giveBack();
  }

  stats(): Record<string, unknown> {
    const copy = this.sessions.open.size;
    return statsOf(this, { splice: 0, sockmap: 0, copy });
  }

  rows(now: number): Iterable<SessionRow> {
    return this.sessions.open.values().map((session) => session.row(now));
  }

  admit(gate: UdpGate, client: UdpClient): UdpSession | undefined {
    const { sessions, config } = this;
    const { worker, reactor } = this.#host;
    const refused =
      this.#admission.refuses(client.remote.address) ??
      (this.#admission.enter(reactor.now) > 0 ? "refused" : undefined);
    if (refused !== undefined) {
      sessions.turnedAway(refused);
      return undefined;
    }
    if (this.#places.exceed(config.udp.sessions)) gate.makeRoom();
    const id = sessions.next() * worker.count + worker.index;
    const session = new UdpSession(this, gate, id, client);
    sessions.add(session);
    return session;
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

  /** A session found no server. */
  unserved(): void {
    this.sessions.turnedAway("unserved");
    const now = performance.now();
    if (now < this.#quietUntil) return;
    this.#quietUntil = now + UNSERVED_PAUSE_MS;
    const pool = this.pool.name;
    this.#host.log.warn("a client got no server", { balance: this.name, pool, why: "no server" });
  }

  moved(up: number, down: number): void {
    this.sessions.moved(up, down);
  }
  left(session: UdpSession): void {
    this.sessions.left(session);
    this.#places.leave();
  }

  #awaited(): boolean {
    for (const session of this.sessions.open) if (!session.idle) return true;
    return false;
  }
}
