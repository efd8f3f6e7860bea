/** Where a transparent proxy goes: to the host that is asked for, if it may be asked for. */
import { contains } from "../../core/cidr.ts";
import { isInner } from "../../core/inner-networks.ts";
import { parseIp, showIp } from "../../core/ip.ts";
import type { Pool, Server } from "../../net/pools/pool.ts";
import type { ForwardConfig } from "./route-config.ts";

/** Addresses of a name are asked for again after so long. */
const KNOWN_MS = 30_000;
/** Hosts remembered; strangers choose them. */
const MOST_KNOWN = 1000;

/** Why a host is not gone to: a status, and words for the log. */
export interface Refused {
  readonly status: 400 | 403 | 502;
  readonly why: string;
}

/** All addresses of a name, as texts. Rejects when it has none. */
export type Lookup = (name: string) => Promise<readonly string[]>;

interface Known {
  readonly pool: Pool;
  readonly until: number;
}

export class ForwardPools {
  readonly #config: ForwardConfig;
  readonly #lookup: Lookup;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();

  constructor(config: ForwardConfig, lookup: Lookup, now: () => number) {
    this.#config = config;
    this.#lookup = lookup;
    this.#now = now;
  }

  /** The servers of a host as it was asked for (`a.example:8080`). */
  async poolFor(authority: string): Promise<Pool | Refused> {
    const known = this.#known.get(authority);
    if (known !== undefined && this.#now() < known.until) return known.pool;
    const [, name = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority) ?? [];
    const to = port === undefined ? this.#config.port : Number(port);
    if (name === "") return { status: 400, why: `no host in "${authority}"` };
    if (!this.#config.ports.includes(to)) return { status: 403, why: `port ${to} is not allowed` };
    const bare = name.replace(/^\[|\]$|\.$/g, "").toLowerCase();
    const addresses = await this.#addresses(bare);
    if ("status" in addresses) return addresses;
    const pool = new HostPool(
      authority,
      addresses.map((host) => new HostServer(host, to)),
    );
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(authority, { pool, until: this.#now() + KNOWN_MS });
    return pool;
  }

  async #addresses(name: string): Promise<readonly string[] | Refused> {
    const { allow } = this.#config;
    const literal = parseIp(name);
    const byName = !literal && allow.some((one) => typeof one === "string" && fits(one, name));
    const byAddress = allow.some((one) => typeof one !== "string");
    // Nobody has us ask the DNS for what no answer could allow.
    if (!literal && !byName && !byAddress) return { status: 403, why: `${name} is not allowed` };
    const texts = literal ? [showIp(literal)] : await this.#lookup(name).catch(() => []);
    if (texts.length === 0) return { status: 502, why: `${name} is not known` };
    // Whoever owns a name chooses its addresses: inner ones have to be allowed as such.
    const able = texts.filter((text) => {
      const listed = allow.some((one) => typeof one !== "string" && contains(one, text));
      return (
        listed || (byName && !isInner(text)) || (literal && allow.includes("*") && !isInner(text))
      );
    });
    return able.length > 0 ? able : { status: 403, why: `${name} is not allowed` };
  }
}

function fits(pattern: string, name: string): boolean {
  if (pattern === "*") return true;
  return pattern.startsWith("*.") ? name.endsWith(pattern.slice(1)) : name === pattern;
}

/** An address that somebody asked for. */
class HostServer implements Server {
  readonly eligible = true;
  open = 0;

  constructor(
    readonly host: string,
    readonly port: number,
  ) {}

  get name(): string {
    return `${this.host}:${this.port}`;
  }
  connecting(): void {
    this.open++;
  }
  connected(): void {}
  answered(): void {}
  failed(): void {
    this.open--;
  }
  closed(): void {
    this.open--;
  }
  transferred(): void {}
}

/** Its addresses, one after the other. */
class HostPool implements Pool {
  readonly hashes = "address";
  readonly sticky = "off";
  readonly retry;

  constructor(
    readonly name: string,
    readonly servers: readonly HostServer[],
  ) {
    this.retry = { attempts: servers.length - 1, on: new Set(["connect", "timeout"]) };
  }

  choose(_client: unknown, tried: readonly Server[] = []): Server | undefined {
    return this.servers.find((server) => !tried.includes(server));
  }
  keeper(): undefined {
    return undefined;
  }
  async queue(): Promise<undefined> {
    return undefined; // nobody is ever full
  }
}
