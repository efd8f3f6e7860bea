/** The PROXY protocol in front of connections: which versions are understood. */
export const PROXY_PROTOCOLS = ["off", "v1", "v2", "any"] as const;

/** Options of a listening socket. */
export interface SocketOptions {
  readonly backlog: number;
  /** One socket per worker. */
  readonly reusePort: boolean;
  /** TCP_FASTOPEN queue length; 0 is off. */
  readonly fastOpen: number;
  /** TCP_DEFER_ACCEPT in milliseconds; 0 is off. */
  readonly deferAccept: number;
  /** Open connections per listener and process; more wait in the backlog. */
  readonly maxConnections: number;
  readonly proxyProtocol: (typeof PROXY_PROTOCOLS)[number];
  /** CIDRs a PROXY header is believed from. */
  readonly trusted: readonly string[];
}

export const DEFAULT_SOCKET: SocketOptions = {
  backlog: 4096,
  reusePort: true,
  fastOpen: 256,
  deferAccept: 5000,
  maxConnections: 100_000,
  proxyProtocol: "off",
  trusted: [],
};
