import { contains } from "../../core/cidr.ts";
import { parseIp } from "../../core/ip.ts";
import { Metric } from "../../wire/tunnel/metric.ts";
import type { KeyedConfig } from "./config.ts";
import type { Device } from "./device.ts";
import { priority } from "./priority.ts";

/** How a tunnel is at the moment, as far as its routes care. */
export interface Weather {
  readonly alive: boolean;
  /** Address of the peer outside; undefined: not known yet. */
  readonly host: string | undefined;
}

/** The routes of one tunnel: with a metric by how its path is, and none that leads the tunnel into itself. */
export class Ways {
  readonly #config: KeyedConfig;
  readonly #place: number;
  readonly #metric: Metric;
  readonly #fixed: number | undefined;
  #priority = 0;

  /** `place`: where the tunnel stands in the config. */
  constructor(config: KeyedConfig, place: number) {
    const { metric } = config;
    this.#config = config;
    this.#place = place;
    this.#fixed = typeof metric === "number" ? metric : undefined;
    this.#metric = new Metric(typeof metric === "number" ? { hysteresis: 1, hold: 0 } : metric);
  }

  /** The metric that they have now. */
  get priority(): number {
    return this.#priority;
  }

  /** The path has that `score`. True: `lay` them again. */
  consider(score: number, now: number): boolean {
    return this.#metric.consider(score, now);
  }

  /** The routes as they should be now. True: there were some, and their metric has changed. Throws SysError. */
  lay(device: Device, { alive, host }: Weather): boolean {
    const { routes, peer, netns, wireguard } = this.#config;
    const next = priority(this.#metric.told, {
      fixed: this.#fixed,
      place: this.#place,
      // WireGuard's peers cannot be asked whether they are there: the first packet finds out.
      alive: alive || wireguard,
    });
    const turned = device.routes.length > 0 && next !== this.#priority;
    this.#priority = next;
    // Where the peer is, its own tunnel cannot lead; and that has to be known first.
    if (peer !== null && host === undefined) return false;
    const inside = host !== undefined && netns === null && routes.some((to) => contains(to, host));
    device.goAround(inside ? parseIp(host) : undefined);
    device.route(routes.map((to) => ({ to, metric: next })));
    return turned;
  }
}
