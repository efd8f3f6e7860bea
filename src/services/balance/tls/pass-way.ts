import type { Pool } from "../../../net/pools/pool.ts";
import type { Relays } from "../../../net/tcp/relays.ts";
import type { ProxyDetails } from "../../../wire/proxy-tlv.ts";
import type { ClientHello } from "../../../wire/tls/client-hello.ts";
import type { Connection } from "../connection.ts";
import { type PlainRules, PlainWay } from "../plain-way.ts";

/** TLS goes through as it is; whom the client asks for decides who gets it. */
export class PassWay extends PlainWay {
  override readonly hello = true;
  readonly #pool: (hello: ClientHello | undefined) => Pool;

  constructor(relays: Relays, pool: (hello: ClientHello | undefined) => Pool, rules: PlainRules) {
    super(relays, () => pool(undefined), rules);
    this.#pool = pool;
  }

  override greet(connection: Connection, hello?: ClientHello): void {
    connection.carried = hello?.serverName;
    connection.proceed(this.#pool(hello));
  }

  details(connection: Connection): ProxyDetails {
    return { authority: connection.carried as string | undefined };
  }
}
