import {
  type Client,
  type ConnectFailure,
  noPools,
  type Pool,
  type PoolKeeper,
  type Retry,
  type Server,
} from "../../src/net/pools/pool.ts";

/** A server that writes down what it is told. */
export class FakeServer implements Server {
  readonly diary: string[] = [];
  eligible = true;
  open = 0;
  answers = 0;
  up = 0;
  down = 0;

  constructor(
    readonly name: string,
    readonly port: number,
    readonly host = "127.0.0.1",
  ) {}

  connecting(): void {
    this.open++;
    this.diary.push("connecting");
  }
  connected(tookMs: number): void {
    this.diary.push(tookMs >= 0 ? "connected" : "connected before it began");
  }
  answered(): void {
    this.answers++;
  }
  failed(why: ConnectFailure): void {
    this.open--;
    this.diary.push(`failed: ${why}`);
  }
  closed(): void {
    this.open--;
    this.diary.push("closed");
  }
  transferred(up: number, down: number): void {
    this.up += up;
    this.down += down;
  }
}

/** Servers in a fixed order: the first that is eligible and was not tried. */
export class FakePool implements Pool {
  retry: Retry = { attempts: 5, on: new Set(["connect", "timeout"]) };
  /** Connections per server; more wait. */
  most = Infinity;
  readonly hashes = "address";
  sticky: Pool["sticky"] = "off";
  readonly clients: Client[] = [];

  constructor(
    readonly name: string,
    readonly servers: readonly FakeServer[],
  ) {}

  choose(client: Client, tried: readonly Server[] = []): FakeServer | undefined | "full" {
    this.clients.push(client);
    const able = this.servers.filter((one) => one.eligible && !tried.includes(one));
    return able.find((one) => one.open < this.most) ?? (able.length > 0 ? "full" : undefined);
  }

  keeper(is: (server: Server) => boolean): FakeServer | undefined {
    return this.servers.find((one) => one.eligible && is(one));
  }

  async queue(client: Client, signal: AbortSignal): Promise<FakeServer | undefined> {
    while (!signal.aborted) {
      const server = this.choose(client);
      if (server !== "full") return server;
      await Bun.sleep(5);
    }
    return undefined;
  }
}

export function fakePools(...pools: readonly FakePool[]): PoolKeeper {
  return {
    ...noPools,
    pool: (name) => pools.find((one) => one.name === name) ?? noPools.pool(name),
  };
}
