import type { Counter, Gauge, Metrics } from "../../observe/metrics.ts";
import { TunnelEnd } from "./end.ts";
import type { Member } from "./member.ts";
import type { Strangers } from "./strangers.ts";
import { Traffic, TRAFFIC_METRICS } from "./traffic.ts";

const STRANGERS: Readonly<Record<keyof Strangers, readonly [string, string]>> = {
  unknown: ["tern_tunnel_unknown_total", "Datagrams that are for nobody here."],
  refused: ["tern_tunnel_refused_handshakes_total", "Handshakes that were refused."],
  cookies: ["tern_tunnel_cookies_total", "Handshakes that were answered by a cookie."],
};

/** Numbers of links as metrics: brought up to date when somebody looks. */
export class Meters {
  readonly #ends: readonly Member[];
  readonly #metrics: Metrics;
  #forget: (() => void) | undefined;

  constructor(ends: readonly Member[], metrics: Metrics) {
    this.#ends = ends;
    this.#metrics = metrics;
  }

  start(): void {
    const metrics = this.#metrics;
    const followers = this.#ends.flatMap((end) => {
      const labels = { tunnel: end.name };
      const { traffic } = end;
      const gauge = (name: string, help: string, read: () => number) => {
        const one: Gauge = metrics.gauge(name, help, labels);
        return () => one.set(read());
      };
      const counters = (Object.keys(traffic) as (keyof Traffic)[]).map((key) => {
        const [name, help] = TRAFFIC_METRICS[key];
        return follow(metrics.counter(name, help, labels), () => traffic[key]);
      });
      const known = (value: number): number => (Number.isNaN(value) ? 0 : value);
      const common = [
        ...counters,
        gauge("tern_tunnel_up", "Is the peer there: 1, or 0.", () => Number(end.isUp)),
        gauge("tern_tunnel_rtt_seconds", "Smoothed round-trip time.", () => known(end.rtt) / 1000),
      ];
      if (!(end instanceof TunnelEnd)) return common;
      const { path } = end.link;
      return [
        ...common,
        gauge("tern_tunnel_loss_out", "Part that is lost on the way out.", () => path.lossOut),
        gauge("tern_tunnel_loss_in", "Part that is lost on the way in.", () => path.lossIn),
      ];
    });
    for (const hub of new Set(this.#ends.map((end) => end.hub)))
      for (const key of Object.keys(STRANGERS) as (keyof Strangers)[]) {
        const [name, help] = STRANGERS[key];
        const counter = metrics.counter(name, help, { listener: hub.name });
        followers.push(follow(counter, () => hub.strangers[key]));
      }
    this.#forget = metrics.onSnapshot(() => {
      for (const refresh of followers) refresh();
    });
  }

  stop(): void {
    this.#forget?.();
  }
}

/** A counter that is where `read` is. It may be another config's counter that got there before. */
function follow(counter: Counter, read: () => number): () => void {
  return () => {
    const more = read() - counter.value;
    if (more > 0) counter.add(more);
  };
}
