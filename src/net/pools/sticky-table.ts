interface Limits {
  readonly size: number;
  /** Milliseconds. */
  readonly expire: number;
}

interface Entry {
  readonly server: string;
  /** When it is forgotten. */
  until: number;
  /** When the others have forgotten it, if nobody tells them that it goes on. */
  known: number;
}

/** Which server each client is with: so many at most, each forgotten some time after its last connection. */
export class StickyTable {
  /** In order of last use. */
  readonly #entries = new Map<string, Entry>();
  readonly #tell: (client: string, server: string, expire: number) => void;
  #size = 0;
  #expire = 0;

  /** `tell` hears what others should know: who is new, and now and then who is still there. */
  constructor(tell: (client: string, server: string, expire: number) => void) {
    this.#tell = tell;
  }

  /** From now on; what is there stays as far as it fits. */
  resize({ size, expire }: Limits): void {
    this.#size = size;
    this.#expire = expire;
    this.#makeRoom(0);
  }

  /** Its server, `10.0.0.1:80`; it is in use again. */
  find(client: string, now: number): string | undefined {
    const entry = this.#entries.get(client);
    if (entry === undefined) return undefined;
    this.#entries.delete(client);
    if (entry.until <= now) return undefined;
    entry.until = now + this.#expire;
    this.#entries.set(client, entry);
    if (entry.known - now < this.#expire / 2) {
      entry.known = entry.until;
      this.#tell(client, entry.server, this.#expire);
    }
    return entry.server;
  }

  /** It is with this server from now on. With no room, the client not seen for longest is forgotten. */
  put(client: string, server: string, now: number): void {
    this.learn(client, server, now);
    this.#tell(client, server, this.#expire);
  }

  /** As `put`, by the word of others: it is no news to them. */
  learn(client: string, server: string, now: number): void {
    this.#entries.delete(client);
    this.#makeRoom(1);
    const until = now + this.#expire;
    this.#entries.set(client, { server, until, known: until });
  }

  clear(): void {
    this.#entries.clear();
  }

  get size(): number {
    return this.#entries.size;
  }

  #makeRoom(wanted: number): void {
    for (const client of this.#entries.keys()) {
      if (this.#entries.size + wanted <= this.#size) return;
      this.#entries.delete(client);
    }
  }
}
