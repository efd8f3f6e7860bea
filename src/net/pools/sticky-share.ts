/** What processes tell each other of which client is with which server of a pool. */
export interface StickyShare {
  /**
   * The server (`10.0.0.1:80`) that somebody else sent this client to; undefined when that is not
   * known here and now. It must be quick: it is asked for every new client.
   */
  find(pool: string, client: string): string | undefined;
  /** A client is with this server now, and sticks to it for so long after its last connection. */
  tell(pool: string, client: string, server: string, expireMs: number): void;
}

/** For a process that is alone. */
export const aloneSticky: StickyShare = { find: () => undefined, tell() {} };
