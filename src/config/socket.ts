import * as v from "valibot";

import { showCidr } from "../core/cidr.ts";
import { DEFAULT_SOCKET, PROXY_PROTOCOLS, type SocketOptions } from "../core/socket-options.ts";
import { pathTo } from "./key.ts";
import { cidrList } from "./places.ts";
import { count, duration } from "./quantities.ts";
import { surroundings } from "./surroundings.ts";

/**
 * The contract's `socket:`. What it leaves out comes from the file's own `socket:` section, and
 * from the defaults when it stands there: `socket: v.optional(socketOptions, {})` in a listener
 * is always complete.
 */
export const socketOptions: v.GenericSchema<unknown, SocketOptions> = v.pipe(
  v.strictObject({
    backlog: v.optional(
      v.pipe(count(1), v.description("Connections the kernel holds before they are accepted.")),
    ),
    reuse_port: v.optional(
      v.pipe(
        v.boolean() as v.GenericSchema<unknown, boolean>,
        v.description("One socket per worker (SO_REUSEPORT)."),
      ),
    ),
    fast_open: v.optional(v.pipe(count(), v.description("TCP_FASTOPEN queue length; 0 is off."))),
    defer_accept: v.optional(
      v.pipe(duration, v.description("Accept when the first bytes are there; 0 is off.")),
    ),
    max_connections: v.optional(
      v.pipe(count(1), v.description("Open connections per listener and worker.")),
    ),
    proxy_protocol: v.optional(
      v.pipe(
        v.picklist(PROXY_PROTOCOLS),
        v.description("PROXY header in front of each connection; needs `trusted`."),
      ),
    ),
    trusted: v.optional(v.pipe(cidrList, v.description("Who a PROXY header is believed from."))),
  }),
  v.rawTransform(({ dataset: { value: own }, addIssue, NEVER }): SocketOptions => {
    const rest = surroundings().socket ?? DEFAULT_SOCKET;
    const options = {
      backlog: own.backlog ?? rest.backlog,
      reusePort: own.reuse_port ?? rest.reusePort,
      fastOpen: own.fast_open ?? rest.fastOpen,
      deferAccept: own.defer_accept ?? rest.deferAccept,
      maxConnections: own.max_connections ?? rest.maxConnections,
      proxyProtocol: own.proxy_protocol ?? rest.proxyProtocol,
      trusted: own.trusted?.map(showCidr) ?? rest.trusted,
    };
    if (options.proxyProtocol === "off" || options.trusted.length > 0) return options;
    addIssue({
      message: "needs `trusted` beside it: the networks a PROXY header is believed from",
      path: pathTo({ proxy_protocol: options.proxyProtocol }, "proxy_protocol"),
    });
    return NEVER;
  }),
);
