import { compileAccess } from "../../../core/cidr.ts";
import type { Clock } from "../../../core/clock.ts";
import type { Quick } from "../../../net/quick.ts";
import type { OneProxy } from "../config.ts";
import { Bans } from "./bans.ts";
import { Cache } from "./cache.ts";
import { Memory } from "./memory.ts";
import { QuickTable } from "./quick/table.ts";
import { Store } from "./store.ts";

/** Places of answers made ahead: as many as responses of this size fit into memory, within limits. */
const USUAL = 8 * 1024;
const FEWEST = 8 * 1024;
const MOST = 256 * 1024;

/** The cache of one proxy, in this process. */
export interface OpenCache {
  readonly cache: Cache;
  /** Answers made ahead; undefined when every request has to be looked at. */
  readonly quick: Quick | undefined;
  close(): void;
  /** For the console and /metrics. */
  stats(): Readonly<Record<string, number>>;
}

/** Undefined when the proxy keeps nothing. */
export function openCache(config: OneProxy, clock: Clock): OpenCache | undefined {
  const { cache: settings, trust } = config;
  if (settings === undefined) return undefined;
  const bans = new Bans();
  const memory = new Memory(settings.memory);
  const places = Math.min(MOST, Math.max(FEWEST, settings.memory / USUAL));
  const table = new QuickTable(2 ** Math.ceil(Math.log2(places)), {
    now: () => clock.now(),
    wall: Date.now,
    grown: (entry) => memory.weigh(entry),
  });
  const quick = isQuick(config);
  const cache = new Cache(settings, {
    store: new Store(memory, bans),
    wall: Date.now,
    trusted: trust.length > 0 ? compileAccess(trust) : undefined,
    boundary: () => crypto.randomUUID().replaceAll("-", ""),
    invalidate: (urls) => {
      for (const value of urls) bans.add({ time: Date.now(), kind: "url", value });
    },
    used: (request, entry, way) => {
      if (quick) table.learn(request, entry, way);
    },
  });
  return {
    cache,
    quick: quick ? table.find : undefined,
    close: () => memory.close(),
    stats: () => ({
      hits: cache.hits + table.hits,
      quick: table.hits,
      stale: cache.stale,
      misses: cache.misses,
      collapsed: cache.collapsed,
      renewals: cache.renewals,
      passed: cache.passed,
      stored: cache.stored,
      entries: memory.size,
      memory_bytes: memory.bytes,
    }),
  };
}

/** Does nothing but the head of a request, and no state of ours, decide whether it gets a response? */
function isQuick({ cache, trust, allow, deny, limit, routes }: OneProxy): boolean {
  const asked = routes.some(
    ({ when, auth, cors }) => when !== undefined || auth !== undefined || cors !== undefined,
  );
  const plain = trust.length + allow.length + deny.length === 0 && limit === null && !asked;
  return plain && cache?.client_control === false && cache.key.length === 0;
}
