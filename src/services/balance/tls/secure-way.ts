import type { Socket } from "bun";

import type { DuplexRelay, DuplexRelays } from "../../../net/duplex/duplex-relays.ts";
import type { Duplex } from "../../../net/duplex/duplex.ts";
import { PlainDuplex } from "../../../net/duplex/plain-duplex.ts";
import type { Pool } from "../../../net/pools/pool.ts";
import type { Reactor } from "../../../net/reactor.ts";
import type { RelayEnd } from "../../../net/tcp/relay-terms.ts";
import { Handshake } from "../../../net/tls/handshake.ts";
import { ServerGreeting } from "../../../net/tls/server-greeting.ts";
import { answerTo, type ServerTls } from "../../../net/tls/server-tls.ts";
import { close } from "../../../sys/socket.ts";
import type { ProxyDetails } from "../../../wire/proxy-tlv.ts";
import type { ClientHello } from "../../../wire/tls/client-hello.ts";
import type { Connection } from "../connection.ts";
import type { Carrier, Way } from "../way.ts";
import type { TlsParts } from "./files.ts";

/** Longest wait for a client's part of the handshake, its ClientHello apart. */
const HANDSHAKE_MS = 10_000;

export interface SecureRules {
  /** Milliseconds; 0: never. */
  readonly idle: number;
  readonly total: number;
  /** For the handshake with a server. */
  readonly connect: number;
}

/** What there is of a connection, so far. */
interface Passage {
  readonly hello: ClientHello | undefined;
  /** Under way, with the client and then with a server. */
  handshake?: Handshake | undefined;
  client?: Duplex;
  tls?: Socket<unknown>;
  alpn?: string | undefined;
  relay?: DuplexRelay;
}

/** TLS ends here: with the client, with the server, or with both. */
export class SecureWay implements Way {
  readonly hello: boolean;
  readonly shakes: boolean;
  readonly #clients: ServerTls | undefined;
  readonly #servers: ServerGreeting | undefined;
  readonly #relays: DuplexRelays;
  readonly #reactor: Reactor;
  readonly #pool: (hello: ClientHello | undefined) => Pool;
  readonly #rules: SecureRules;
  readonly #idle: number;

  constructor(
    tls: TlsParts,
    { relays, reactor }: { relays: DuplexRelays; reactor: Reactor },
    pool: (hello: ClientHello | undefined) => Pool,
    rules: SecureRules,
  ) {
    this.#clients = tls.clients;
    this.#servers = tls.servers && new ServerGreeting(tls.servers);
    this.hello = tls.clients !== undefined;
    this.shakes = tls.servers !== undefined;
    this.#relays = relays;
    this.#reactor = reactor;
    this.#pool = pool;
    this.#rules = rules;
    this.#idle = rules.idle === 0 ? Infinity : rules.idle;
  }

  greet(connection: Connection, hello: ClientHello | undefined): void {
    const passage: Passage = { hello };
    connection.carried = passage;
    if (this.#clients === undefined || hello === undefined) {
      passage.client = new PlainDuplex(connection.client, this.#reactor);
      return connection.proceed(this.#pool(hello));
    }
    const answer = answerTo(hello, this.#clients);
    if (answer === undefined) return connection.fail("tls");
    const options = { ...answer, reactor: this.#reactor, timeout: HANDSHAKE_MS };
    passage.handshake = new Handshake(connection.client, options, (shaken) => {
      if (typeof shaken === "string") return connection.fail("tls");
      passage.handshake = undefined;
      passage.client = shaken.duplex;
      passage.tls = shaken.tls;
      passage.alpn = shaken.alpn;
      connection.proceed(this.#pool(hello));
    });
  }

  join(connection: Connection, server: number, events: number): void {
    if (this.#servers === undefined)
      return this.#relay(connection, new PlainDuplex(server, this.#reactor, events));
    const passage = passageOf(connection);
    const { hello, alpn } = passage;
    const address = connection.server?.host ?? "";
    const greeting = this.#servers.to({ address, serverName: hello?.serverName, alpn });
    const options = { ...greeting, reactor: this.#reactor, timeout: this.#rules.connect };
    const began = performance.now();
    this.#reactor.remove(server);
    passage.handshake = new Handshake(server, options, (shaken) => {
      passage.handshake = undefined;
      if (typeof shaken === "string") return connection.unreachable("tls");
      connection.reached(performance.now() - began);
      this.#relay(connection, shaken.duplex);
    });
  }

  #relay(connection: Connection, server: Duplex): void {
    const passage = passageOf(connection);
    if (passage.client === undefined) return server.abort();
    const { total } = this.#rules;
    const deadline = total === 0 ? Infinity : connection.began + total;
    const rules = { idle: this.#idle, deadline };
    passage.relay = this.#relays.join(passage.client, server, connection, rules);
  }

  drop(connection: Connection): void {
    const { handshake, client } = passageOf(connection);
    handshake?.broken();
    if (client !== undefined) client.close();
    else if (handshake === undefined) close(connection.client);
  }

  end(connection: Connection, why: RelayEnd, abort: boolean): void {
    passageOf(connection).relay?.end(why, abort);
  }

  carrier(connection: Connection): Carrier | undefined {
    return (connection.carried as Passage | undefined)?.relay && "copy";
  }

  details(connection: Connection): ProxyDetails {
    const { hello, alpn, tls } = passageOf(connection);
    if (tls === undefined) return {};
    const [clientName] = tls.authorized ? [tls.getPeerCertificate()?.subject?.CN].flat() : [];
    const version = tls.getTLSVersion();
    return {
      alpn,
      authority: hello?.serverName,
      tls: { version, clientName, verified: tls.authorized },
    };
  }
}

/** `greet` put it there. */
function passageOf(connection: Connection): Passage {
  return connection.carried as Passage;
}
