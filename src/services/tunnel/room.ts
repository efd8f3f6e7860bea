import { MtuSearch } from "../../wire/tunnel/mtu-search.ts";
import { REPAIR_AROUND } from "../../wire/tunnel/repair.ts";
import type { KeyedConfig } from "./config.ts";

/** What IPv6 asks of every link (RFC 8200, 5), unless the operator wants less. */
const LEAST_MTU = 1280;

/** How long a packet the path of one tunnel has room for. WireGuard's peers can be asked nothing. */
export class Room {
  readonly #most: number;
  /** Bytes that a packet has around it besides, when it is repaired. */
  readonly #around: number;
  readonly #search: MtuSearch | undefined;

  constructor({ mtu, pmtu, transport, wireguard }: KeyedConfig) {
    this.#most = mtu;
    const around = transport === "udt" ? REPAIR_AROUND : 0;
    this.#around = around;
    this.#search = pmtu && !wireguard ? new MtuSearch(LEAST_MTU + around, mtu + around) : undefined;
  }

  /** The longest packet, as far as known. */
  get mtu(): number {
    return this.#search === undefined ? this.#most : this.#search.current - this.#around;
  }

  /** A question of that length was answered. True: `mtu` is another. */
  passed(length: number, now: number): boolean {
    return this.#search?.passed(length, now) ?? false;
  }

  /**
   * How long the next question should be; 0: none. `alive`: whoever is heard answers short ones, and
   * silence then speaks of the length. May change `mtu`.
   */
  next(now: number, alive: boolean): number {
    return this.#search?.next(now, alive) ?? 0;
  }
}
