import type { Pool } from "../../net/pools/pool.ts";
import type { RelayEnd, RelayWay } from "../../net/tcp/relay-terms.ts";
import type { Relays } from "../../net/tcp/relays.ts";
import { block } from "../../sys/memory.ts";
import { close, peek } from "../../sys/socket.ts";
import type { Connection } from "./connection.ts";
import type { Carrier, Way } from "./way.ts";

const LOOK = block(1);

export interface PlainRules {
  readonly relay: RelayWay;
  /** Milliseconds; 0: never. */
  readonly idle: number;
  readonly total: number;
}

/** Bytes as they are, between two sockets. */
export class PlainWay implements Way {
  readonly hello: boolean = false;
  readonly #relays: Relays;
  readonly #pool: () => Pool;
  readonly #rules: PlainRules;
  readonly #idle: number;

  constructor(relays: Relays, pool: () => Pool, rules: PlainRules) {
    this.#relays = relays;
    this.#pool = pool;
    this.#rules = rules;
    this.#idle = rules.idle === 0 ? Infinity : rules.idle;
  }

  greet(connection: Connection): void {
    connection.proceed(this.#pool());
  }

  eager({ client }: Connection): boolean {
    return peek(client, LOOK.at, LOOK.bytes.length) > 0;
  }

  join(connection: Connection, server: number, events: number): void {
    const { relay, total } = this.#rules;
    const deadline = total === 0 ? Infinity : connection.began + total;
    const rules = { way: relay, idle: this.#idle, deadline };
    this.#relays.join(connection.client, server, connection, rules, events);
  }

  drop(connection: Connection): void {
    close(connection.client);
  }

  end(connection: Connection, why: RelayEnd, abort: boolean): void {
    this.#relays.end(connection.client, why, abort);
  }

  carrier(connection: Connection): Carrier | undefined {
    return this.#relays.carrier(connection.client);
  }
}
