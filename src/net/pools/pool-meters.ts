import type { Counter, Gauge, Histogram, Metrics } from "../../observe/metrics.ts";
import type { LivePool } from "./live-pool.ts";
import type { Member } from "./member.ts";

/** Counters of one host of the config: servers that it is looked up as come and go. */
interface HostMeters {
  readonly open: Gauge;
  readonly up: Gauge;
  readonly total: Counter;
  readonly failed: Counter;
  readonly ejections: Counter;
  readonly sent: Counter;
  readonly received: Counter;
}

/** 0.05: what is promised to workers. */
const DELAYS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

type Counts = readonly [total: number, failed: number, ejections: number, up: number, down: number];

/** What pools count, read when somebody wants to know: connections cost nothing extra. */
export class PoolMeters {
  readonly #metrics: Metrics;
  readonly #hosts = new Map<string, HostMeters>();
  readonly #queues = new Map<string, Gauge>();
  /** What was read of each before. */
  readonly #read = new WeakMap<Member, Counts>();
  readonly #judges: boolean;
  readonly #delays: Histogram;

  /** Every worker knows the same of who is up: one tells, or it would be summed. */
  constructor(metrics: Metrics, worker: number) {
    this.#metrics = metrics;
    this.#judges = worker === 0;
    this.#delays = metrics.histogram(
      "tern_pool_verdict_delay_seconds",
      "From a verdict of the health checks to those who choose by it.",
      DELAYS,
    );
  }

  /** A verdict is so many milliseconds old. */
  heard(ms: number): void {
    this.#delays.observe(Math.max(0, ms) / 1000);
  }

  read(pools: Iterable<LivePool>): void {
    for (const meters of this.#hosts.values()) {
      meters.open.set(0);
      meters.up.set(0);
    }
    for (const pool of pools) {
      this.#queue(pool.name).set(pool.queued);
      for (const member of [...pool.members, ...pool.leaving]) {
        const meters = this.#count(pool.name, member);
        meters.open.add(member.open);
        if (this.#judges && member.eligible) meters.up.add(1);
      }
    }
  }

  /** The last that is heard of a server. */
  last(pool: string, member: Member): void {
    this.#count(pool, member);
  }

  #count(pool: string, member: Member): HostMeters {
    const meters = this.#host(pool, member.spec.label);
    const [total, failed, ejections, up, down] = this.#read.get(member) ?? [0, 0, 0, 0, 0];
    const now: Counts = [member.total, member.failures, member.ejections, member.up, member.down];
    this.#read.set(member, now);
    meters.total.add(now[0] - total);
    meters.failed.add(now[1] - failed);
    meters.ejections.add(now[2] - ejections);
    meters.sent.add(now[3] - up);
    meters.received.add(now[4] - down);
    return meters;
  }

  #queue(pool: string): Gauge {
    const known = this.#queues.get(pool);
    if (known !== undefined) return known;
    const made = this.#metrics.gauge("tern_pool_queue", "Clients that wait for a server.", {
      pool,
    });
    this.#queues.set(pool, made);
    return made;
  }

  #host(pool: string, server: string): HostMeters {
    const key = JSON.stringify([pool, server]);
    const known = this.#hosts.get(key);
    if (known !== undefined) return known;
    const m = this.#metrics;
    const labels = { pool, server };
    const bytes = "Bytes relayed to and from servers.";
    const made: HostMeters = {
      open: m.gauge("tern_pool_connections_open", "Connections with servers now.", labels),
      up: m.gauge("tern_pool_server_up", "Whether a server may be chosen.", labels),
      total: m.counter("tern_pool_connections_total", "Connections begun to servers.", labels),
      failed: m.counter("tern_pool_connect_failures_total", "Of these, never made.", labels),
      ejections: m.counter("tern_pool_ejections_total", "Times a server was taken out.", labels),
      sent: m.counter("tern_pool_bytes_total", bytes, { ...labels, direction: "up" }),
      received: m.counter("tern_pool_bytes_total", bytes, { ...labels, direction: "down" }),
    };
    this.#hosts.set(key, made);
    return made;
  }
}
