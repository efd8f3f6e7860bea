/** Options of a listening socket, from the contract's `socket:`; a listener may override them. */
export interface SocketOptions {
  readonly backlog: number;
  readonly reusePort: boolean;
  /** TCP_FASTOPEN queue length; 0 is off. */
  readonly fastOpen: number;
  /** TCP_DEFER_ACCEPT in milliseconds; 0 is off. */
  readonly deferAccept: number;
  /** Open connections per listener and process; more wait in the backlog. */
  readonly maxConnections: number;
  readonly proxyProtocol: "off" | "v1" | "v2" | "any";
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
