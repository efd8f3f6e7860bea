import type { Address } from "../core/address.ts";
import type { SocketOptions } from "../core/socket-options.ts";
import type { HttpHandler } from "../wire/http/message.ts";
import type { Quick } from "./quick.ts";

/** What a service wants served, on which listeners, for which virtual hosts. */
export interface Site {
  /** `web.site`, for logs and metrics. */
  readonly name: string;
  readonly listen: readonly Address[];
  readonly socket: SocketOptions;
  /** Exact names, `*.example.net`, or `*`. Exact wins over the longest wildcard, that over `*`. */
  readonly hosts: readonly string[];
  /** Only this path of them, as it is sent, in front of sites that have the whole host. */
  readonly path?: string;
  /** TLS on every listener of this site. */
  readonly tls: boolean;
  readonly http2: boolean;
  readonly http3: boolean;
  /** Answers to pipelined requests leave together; otherwise each by itself. */
  readonly pipelining: boolean;
  readonly handler: HttpHandler;
  /** Its paths are for other servers to understand: see decodeTargetForOthers. Never where they are files. */
  readonly pathsForOthers?: boolean;
  /** A client that ends its side before it has its response has left: what it asked is given up. */
  readonly endIsLeaving?: boolean;
  /** Answers that need no waiting, made ahead; see quick.ts. */
  readonly quick?: Quick;
  readonly limits: HttpLimits;
}

export interface HttpLimits {
  /** Bytes of request line and fields; beyond it 431 (414 when the line alone is too long). */
  readonly maxHead: number;
  /** Bytes of a request body; beyond it 413. */
  readonly maxBody: number;
  /** Longest wait for a whole request head: a slow client gets 408. */
  readonly headTimeout: number;
  /** Longest silence while a body comes in or a response goes out. */
  readonly bodyTimeout: number;
  /** Longest idle time between requests on one connection. */
  readonly keepAlive: number;
}

export const DEFAULT_LIMITS: HttpLimits = {
  maxHead: 16 * 1024,
  maxBody: 10 * 2 ** 30,
  headTimeout: 15_000,
  bodyTimeout: 60_000,
  keepAlive: 75_000,
};

/** The limits of a site whose section says so (config/http.ts), and how long its bodies may be. */
export function limitsOf(
  said: { head: number; head_timeout: number; body_timeout: number; keep_alive: number },
  maxBody: number,
): HttpLimits {
  return {
    maxHead: said.head,
    maxBody,
    headTimeout: said.head_timeout,
    bodyTimeout: said.body_timeout,
    keepAlive: said.keep_alive,
  };
}

/** A site bound to its listeners. Bound by `attach`; takes traffic between `open` and `close`. */
export interface Attachment {
  open(): void;
  /** Take no new requests for this site; resolves when those in hand are answered or `deadline` aborts. */
  close(deadline: AbortSignal): Promise<void>;
}

/**
 * The HTTP listeners of this process. A listener is shared by all sites on its address and
 * closes with the last of them; a site attached before another is closed keeps it open.
 */
export interface HttpFronts {
  attach(site: Site): Promise<Attachment>;
}
