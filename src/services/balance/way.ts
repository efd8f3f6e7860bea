import type { RelayEnd } from "../../net/tcp/relay-terms.ts";
import type { ProxyDetails } from "../../wire/proxy-tlv.ts";
import type { ClientHello } from "../../wire/tls/client-hello.ts";
import type { Connection } from "./connection.ts";

/**
 * What lies between a client that was let in and the bytes that go both ways: nothing for plain
 * TCP, a handshake, a look at the name asked for. The seam for TLS.
 */
export interface Way {
  /** A ClientHello is waited for and looked at (it stays in the socket) before `greet`. */
  readonly hello: boolean;
  /** A server counts as reached only when the way says so: `connection.reached`, or `unreachable`. */
  readonly shakes?: boolean;
  /**
   * A client is there: `connection.client` is its socket, watched by nobody. Calls
   * `connection.proceed(pool)` or `connection.fail(why)`, once, now or later.
   */
  greet(connection: Connection, hello: ClientHello | undefined): void;
  /** Bytes of the client's are there for the server: true for sure. Absent: nobody knows. */
  eager?(connection: Connection): boolean;
  /**
   * A server is there, and has been told by a PROXY header who asks if it was to be. `server` is
   * watched by the reactor as a Dialer leaves it, and `events` is what that was told of it. From here on both sockets are the way's: it
   * closes them and then calls `connection.over(why)`, once; `connection.moved` meanwhile.
   */
  join(connection: Connection, server: number, events: number): void;
  /** Close the client's side of one that was not joined. Nobody is called. */
  drop(connection: Connection): void;
  /** End one that was joined, now: `connection.over(why)` is called. `abort`: by a RST. */
  end(connection: Connection, why: RelayEnd, abort: boolean): void;
  /** How its bytes go now; undefined before `join`. */
  carrier(connection: Connection): Carrier | undefined;
  /** What a server may be told of a client that is about to be joined, beyond its address. */
  details?(connection: Connection): ProxyDetails;
}

/** What moves the bytes of a connection. */
export const CARRIERS = ["splice", "sockmap", "copy"] as const;
export type Carrier = (typeof CARRIERS)[number];
