import type { Closable } from "../../core/lease.ts";
import { DuplexRelays } from "../../net/duplex/duplex-relays.ts";
import type { Reactor } from "../../net/reactor.ts";
import { Dialer } from "../../net/tcp/dialer.ts";
import { Relays } from "../../net/tcp/relays.ts";

/** What connects and relays for all services of this process, whatever their configs. */
export class Engine implements Closable {
  readonly dialer: Dialer;
  readonly relays: Relays;
  /** For connections that speak TLS with us. */
  readonly duplexes: DuplexRelays;

  constructor(reactor: Reactor) {
    this.dialer = new Dialer(reactor);
    this.relays = new Relays(reactor);
    this.duplexes = new DuplexRelays(reactor);
  }

  /** The last service has ended its connections: there is nothing left to close. */
  async close(): Promise<void> {}
}
