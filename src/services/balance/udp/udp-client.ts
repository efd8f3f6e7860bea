import type { Remote } from "../../../net/http1/plain-transport.ts";
import type { Route } from "../../../sys/datagram-route.ts";

/** Its address and port, and, on a socket with several addresses, the one it wrote to: the same in every process. */
export type ClientKey = number | string;

/** Whoever has written to a gate. */
export interface UdpClient {
  readonly key: ClientKey;
  readonly remote: Remote;
  /** The way back. */
  readonly route: Route;
}
