import { compileAccess } from "../../../core/cidr.ts";
import type { Lease } from "../../../core/lease.ts";
import type { Quick } from "../../../net/quick.ts";
import { openFileLimit } from "../../../sys/process.ts";
import type { Host } from "../../service.ts";
import type { OneProxy } from "../config.ts";
import { Cache } from "./cache.ts";
import type { Entry } from "./entry.ts";
import { Home } from "./home.ts";
import { Shelf } from "./quick/shelf.ts";
import { QuickTable } from "./quick/table.ts";

/** Places of answers made ahead: as many as responses of this size fit into memory, within limits. */
const USUAL = 8 * 1024;
const FEWEST = 8 * 1024;
const MOST = 256 * 1024;

/** Share of the files this process may have open that these may be. */
const LEFT_TO_FILES = 0.25;

/** The cache of one proxy, in this process. */
export interface OpenCache {
  readonly cache: Cache;
  readonly home: Home;
  /** Answers made ahead; undefined when every request has to be looked at. */
  readonly quick: Quick | undefined;
  /** For the console and /metrics. */
  stats(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

/** Undefined when the proxy keeps nothing. What is stored stays while configs change, but for the cache's own. */
export async function openCache(
  name: string,
  config: OneProxy,
  host: Host,
): Promise<OpenCache | undefined> {
  const { cache: settings, trust } = config;
  if (settings === undefined) return undefined;
  const { clock, leases, nodes, reactor, state, worker } = host;
  const log = host.log.with({ proxy: name });
  const lease = (await leases.take(
    `proxy cache ${name} ${JSON.stringify(settings)}`,
    async () => new Home(settings, { name, clock, log, nodes, reactor, state, worker }),
  )) as Lease<Home>; // nobody else takes such a name
  const home = lease.value;
  const { store } = home;
  const { memory, disk } = store;
  const places = Math.min(MOST, Math.max(FEWEST, settings.memory / USUAL));
  const common = { wall: Date.now, bans: store.bans };
  const table = new QuickTable<Entry>(2 ** Math.ceil(Math.log2(places)), {
    ...common,
    now: () => clock.now(),
    source: ({ body }) => (body.kind === "memory" ? body : undefined),
    grown: (entry) => memory.weigh(entry),
  });
  const shelf =
    disk &&
    new Shelf({
      ...common,
      clock,
      files: Math.min(settings.open_files, openFileLimit() * LEFT_TO_FILES),
      memory: settings.memory > 0,
      used: (file) => disk.used(file),
      hit: () => disk.hits++,
    });
  const quick = isQuick(config);
  const cache = new Cache(settings, {
    store,
    wall: Date.now,
    trusted: trust.length > 0 ? compileAccess(trust) : undefined,
    boundary: () => crypto.randomUUID().replaceAll("-", ""),
    invalidate: (urls) => home.forbid(urls.map((value) => ({ kind: "url", value }))),
    purge: (what) => home.purge(what),
    used: (request, entry, way) => {
      const { filed } = entry;
      entry.filed = undefined;
      if (!quick) return;
      table.learn(request, entry, way);
      if (filed !== undefined) shelf?.learn(request, entry, filed, way);
    },
  });
  return {
    cache,
    home,
    quick: quick ? findIn(table, shelf) : undefined,
    close: async () => {
      shelf?.close();
      await lease[Symbol.asyncDispose]();
    },
    stats: () => ({
      hits: cache.hits + table.hits + (shelf?.table.hits ?? 0),
      quick: table.hits + (shelf?.table.hits ?? 0),
      stale: cache.stale,
      misses: cache.misses,
      collapsed: cache.collapsed,
      renewals: cache.renewals,
      passed: cache.passed,
      stored: cache.stored,
      slices: cache.slices,
      entries: memory.size,
      memory_bytes: memory.bytes,
      bans: store.bans.size,
      ...(disk && {
        disk_entries: home.janitor?.size ?? 0,
        disk_bytes: home.janitor?.bytes ?? 0,
        disk_evicted: home.janitor?.evicted ?? 0,
        disk_heads: shelf?.size ?? 0,
        disk_open: shelf?.openFiles ?? 0,
        disk_hits: disk.hits,
        disk_written: disk.writer.written,
        disk_dropped: disk.writer.dropped,
        disk_broken: disk.broken,
        disk_errors: disk.writer.errors,
      }),
    }),
  };
}

/** In memory first, then on disk. */
function findIn({ find: first }: QuickTable<Entry>, shelf: Shelf | undefined): Quick {
  if (shelf === undefined) return first;
  const { find: then } = shelf.table;
  return (head, now) => first(head, now) ?? then(head, now);
}

/** Does nothing but the head of a request, and no state of ours, decide whether it gets a response? */
function isQuick({ cache, trust, allow, deny, limit, routes }: OneProxy): boolean {
  const asked = routes.some(
    ({ when, split, auth, cors, esi }) => (when ?? split ?? auth ?? cors) !== undefined || esi,
  );
  const plain = trust.length + allow.length + deny.length === 0 && limit === null && !asked;
  return plain && cache?.client_control === false && cache.key.length === 0;
}
