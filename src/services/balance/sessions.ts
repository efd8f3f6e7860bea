import type { Closable } from "../../core/lease.ts";
import type { Counter, Metrics } from "../../observe/metrics.ts";

/** Clients that came to nothing, by whose decision. */
export const TURNED_AWAY = ["refused", "denied", "unserved", "tls"] as const;
export type TurnedAway = (typeof TURNED_AWAY)[number];

/** A connection, or what is one to UDP, as it is counted. */
export interface Counted {
  /** The client's. */
  readonly address: string;
  end(why: "killed" | "stopped", abort: boolean): void;
}

/**
 * The connections of one service and what was counted of them. Leased under the service's name:
 * they go on whatever configs come and go, as long as one of them has the service.
 */
export class Sessions<One extends Counted> implements Closable {
  /** Is told how many connections an address has, whenever that changes. */
  counted: ((address: string, open: number) => void) | undefined;
  /** Whose config is in force: an older one that stops leaves the connections alone. */
  keeper: unknown;
  readonly #open = new Set<One>();
  readonly #perClient = new Map<string, number>();
  readonly #counters: Record<TurnedAway | "accepted" | "up" | "down", Counter>;
  readonly #forget: () => void;
  #empty: (() => void)[] = [];
  /** Connections so far: the next one's number. */
  #last = 0;

  constructor(service: string, metrics: Metrics) {
    const outcome = (outcome: string): Counter =>
      metrics.counter("tern_balance_connections_total", "Connections of clients, by outcome.", {
        service,
        outcome,
      });
    const bytes = (direction: string): Counter =>
      metrics.counter("tern_balance_bytes_total", "Bytes from clients (up) and to them (down).", {
        service,
        direction,
      });
    this.#counters = {
      accepted: outcome("accepted"),
      refused: outcome("refused"),
      denied: outcome("denied"),
      unserved: outcome("unserved"),
      tls: outcome("tls"),
      up: bytes("up"),
      down: bytes("down"),
    };
    const open = metrics.gauge("tern_balance_open", "Connections of clients that are open.", {
      service,
    });
    this.#forget = metrics.onSnapshot(() => open.set(this.#open.size));
  }

  get open(): ReadonlySet<One> {
    return this.#open;
  }

  /** The number of the next connection among those of this process. */
  next(): number {
    return this.#last++;
  }

  /** So far, of this process. */
  count(what: TurnedAway | "accepted" | "up" | "down"): number {
    return this.#counters[what].value;
  }

  /** Open connections of an address. */
  of(address: string): number {
    return this.#perClient.get(address) ?? 0;
  }

  /** All that have any, and how many. */
  get clients(): Iterable<readonly [address: string, open: number]> {
    return this.#perClient;
  }

  add(connection: One): void {
    const { address } = connection;
    this.#open.add(connection);
    const open = this.of(address) + 1;
    this.#perClient.set(address, open);
    this.counted?.(address, open);
    this.#counters.accepted.add(1);
  }

  moved(up: number, down: number): void {
    this.#counters.up.add(up);
    this.#counters.down.add(down);
  }

  turnedAway(how: TurnedAway): void {
    this.#counters[how].add(1);
  }

  left(connection: One): void {
    if (!this.#open.delete(connection)) return;
    const { address } = connection;
    const others = this.of(address) - 1;
    if (others > 0) this.#perClient.set(address, others);
    else this.#perClient.delete(address);
    this.counted?.(address, others);
    if (this.#open.size === 0) for (const tell of this.#empty.splice(0)) tell();
  }

  /** Resolves when all are over; those that are not by `deadline` are ended. */
  async drain(deadline: AbortSignal): Promise<void> {
    if (this.#open.size > 0 && !deadline.aborted)
      await new Promise<void>((resolve) => {
        this.#empty.push(resolve);
        deadline.addEventListener("abort", () => resolve(), { once: true });
      });
    for (const connection of this.#open) connection.end("stopped", false);
  }

  async close(): Promise<void> {
    await this.drain(AbortSignal.abort());
    this.#forget();
  }
}
