import type { Fronts } from "../net/fronts/fronts.ts";
import { reactor } from "../net/reactor-loop.ts";
import type { Registry } from "../observe/registry.ts";
import type { Report } from "./messages.ts";
import type { Roster } from "./roster.ts";

/** How often the longest turn of the event loop is read. */
const LAG_MS = 1000;

/** What this process says of itself, in `status` and in its metrics. */
export class Reporter {
  readonly #roster: Roster;
  readonly #fronts: Fronts;
  readonly #registry: Registry;
  readonly #timer: ReturnType<typeof setInterval>;
  #lag = 0;

  constructor(index: number, roster: Roster, fronts: Fronts, registry: Registry) {
    this.#roster = roster;
    this.#fronts = fronts;
    this.#registry = registry;
    this.#timer = setInterval(() => (this.#lag = reactor().takeLongestTurn()), LAG_MS).unref();

    const labels = { worker: String(index) };
    const rss = registry.gauge("tern_memory_bytes", "Resident memory of a process.", labels);
    const lag = registry.gauge(
      "tern_event_loop_lag_seconds",
      "Longest time the event loop was busy in one go during the last second.",
      labels,
    );
    const uptime = registry.gauge("tern_uptime_seconds", "Age of a process.", labels);
    registry.onSnapshot(() => {
      rss.set(process.memoryUsage.rss());
      lag.set(this.#lag / 1000);
      uptime.set(process.uptime());
    });
  }

  report(): Report {
    return {
      pid: process.pid,
      uptime: process.uptime() * 1000,
      rss: process.memoryUsage.rss(),
      lag: this.#lag,
      listeners: [...this.#fronts.stats(), ...this.#roster.listeners()],
      services: this.#roster.names,
      stats: this.#roster.stats(),
      metrics: this.#registry.snapshot(),
    };
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
