/** Static files and WebDAV: the only file here that attaches to listeners. */
import * as v from "valibot";

import { type Attachment, limitsOf, type Site } from "../../net/http-fronts.ts";
import { httpListens } from "../../net/listen.ts";
import { withChallenges } from "../../net/tls/http-challenge.ts";
import type { Host, Instance, Service } from "../service.ts";
import { builtin } from "./builtin.ts";
import { type SiteConfig, type WebConfig, webSchema, WELCOME } from "./config.ts";
import { type Dav, makeDav } from "./dav/dav.ts";
import { disk } from "./disk.ts";
import { EncodedStore } from "./encoded-store.ts";
import { fieldRules } from "./fields.ts";
import { davIn, encodedIn, removeOthers } from "./kept.ts";
import { directoryOf } from "./shelf.ts";
import { WebSite } from "./site.ts";
import { Tree } from "./tree.ts";
import { Watch } from "./watch.ts";
import { welcome } from "./welcome/welcome.ts";

/** Bodies nobody reads: without WebDAV a request needs none. Bytes. */
const MAX_IDLE_BODY = 1024 * 1024;

/** Static files and WebDAV. */
export const web: Service<WebConfig> = {
  name: "web",
  about: "static files and WebDAV over HTTP/1.1, 2 and 3",
  levels: ["entries", "bytes", "open_files", "store_bytes"],
  schema: webSchema,
  prepare,
  listens: (config) => httpListens("web", config),
};

/** One site as it runs. */
interface Running {
  readonly name: string;
  readonly site: WebSite;
  readonly store: EncodedStore | undefined;
  readonly dav: Dav | undefined;
  /** Undefined for files inside the executable: they do not change. */
  readonly tree: Tree | undefined;
  attachment: Attachment | undefined;
}

async function prepare(config: WebConfig, host: Host): Promise<Instance> {
  const running: Running[] = [];
  const watch = Watch.open(host.reactor, host.log);
  try {
    for (const [name, site] of Object.entries(config)) {
      const one = await prepareSite(name, site, host);
      running.push(one);
      const { site: made, tree } = one;
      if (tree) watch?.attach(made.shelf, site.index, (directory) => tree.lexical(directory));
      one.attachment = await host.http.attach(siteFor(one, host));
    }
  } catch (failed) {
    await stop(running, AbortSignal.abort());
    watch?.close();
    throw failed;
  }
  const forget = measure(running, host);

  return {
    start() {
      for (const { attachment } of running) attachment?.open();
      if (host.worker.index > 0) return;
      removeOthers(host.state, Object.keys(config)).catch((error: unknown) =>
        host.log.warn("removing compressed files of former sites failed", { error }),
      );
    },
    stats: () => Object.fromEntries(running.map((one) => [one.name, statsOf(one, host)])),
    async stop(deadline) {
      forget();
      await stop(running, deadline);
      watch?.close();
    },
    actions: {
      purge: {
        about: "forget what is in the caches: everything, one site's, or what is under one path",
        input: v.strictObject({ site: v.optional(v.string()), path: v.optional(v.string()) }),
        run: (input: { site?: string | undefined; path?: string | undefined }) =>
          purge(running, input),
      },
    },
  };
}

/** Clients learn of HTTP/3 by a field (RFC 7838, 3): it goes with every answer of the site. */
function advertised(config: SiteConfig): SiteConfig {
  const place = config.listen.find((address) => address.kind === "tcp");
  if (!config.tls || !config.http3 || place === undefined) return config;
  return { ...config, headers: { "Alt-Svc": `h3=":${place.port}"; ma=86400`, ...config.headers } };
}

async function prepareSite(name: string, given: SiteConfig, host: Host): Promise<Running> {
  const config = advertised(given);
  const log = host.log.with({ site: name });
  const wall = () => Date.now();
  const tree = config.root === WELCOME ? undefined : openTree(name, config);
  const { gzip, webdav } = config;
  const store =
    tree && gzip.enabled && gzip.store && config.encodings.length > 0
      ? await EncodedStore.open(encodedIn(host.state, name), gzip.store_max, {
          wall,
          trouble: (error) => log.warn("keeping a compressed file failed", { error }),
        })
      : undefined;
  const rules = fieldRules(config);
  const dav =
    tree && webdav.enabled
      ? makeDav(webdav, tree, {
          log,
          state: davIn(host.state),
          now: wall,
          contentType: (file) => rules(`/${file}`).type,
          onChange: (path) => changed(path),
          sweep: host.worker.index === 0,
        })
      : undefined;
  const origin = tree ? disk(tree) : builtin(welcome(), wall());
  const site = new WebSite(config, { clock: host.clock, wall, origin, store, dav });
  const changed = (path: string): void => {
    site.shelf.forget(path);
    site.shelf.forgetUnder(`${path === "/" ? "" : path}/`);
  };
  return { name, site, store, dav, tree, attachment: undefined };
}

function openTree(name: string, { dotfiles, root, symlinks }: SiteConfig): Tree {
  try {
    return new Tree(root, { dotfiles, symlinks });
  } catch (cause) {
    throw new Error(`web.${name}.root: ${root} is no directory that can be read`, { cause });
  }
}

function siteFor({ name, site }: Running, { certificates }: Host): Site {
  const { config, quick } = site;
  const { limits, webdav } = config;
  return {
    name: `web.${name}`,
    listen: config.listen,
    socket: config.socket,
    hosts: config.hosts,
    tls: config.tls,
    http2: config.http2,
    http3: config.http3,
    pipelining: config.pipelining,
    handler: withChallenges((request) => site.handle(request), certificates),
    ...(quick ? { quick } : {}),
    limits: limitsOf(limits, webdav.enabled ? webdav.max_body : MAX_IDLE_BODY),
  };
}

async function stop(running: readonly Running[], deadline: AbortSignal): Promise<void> {
  await Promise.all(running.map(async ({ attachment }) => attachment?.close(deadline)));
  for (const { dav, site } of running) {
    dav?.stop();
    site.shelf.clear();
  }
  await Promise.all(running.map(async ({ store }) => store?.close()));
}

/** Summed over the workers. */
function statsOf({ site, store }: Running, { worker }: Host): Record<string, number> {
  const { shelf } = site;
  return {
    quick: site.quickHits,
    hits: shelf.hits,
    misses: shelf.misses,
    entries: shelf.entries,
    bytes: shelf.bytes,
    open_files: shelf.openFiles,
    store_bytes: worker.index === 0 ? (store?.bytes ?? 0) : 0,
  };
}

/** Metrics of what is cheaper to read than to keep. */
function measure(running: readonly Running[], { metrics, worker }: Host): () => void {
  const first = worker.index === 0;
  const forget = running.map(({ name, site, store }) => {
    const lookups = (from: string) =>
      metrics.counter("tern_web_lookups_total", "Requests for files, by where they were found.", {
        site: name,
        from,
      });
    const quick = lookups("quick");
    const hits = lookups("cache");
    const misses = lookups("disk");
    const entries = metrics.gauge("tern_web_cache_entries", "Files in the memory cache.", {
      site: name,
    });
    const bytes = metrics.gauge("tern_web_cache_bytes", "Bytes they take.", { site: name });
    const open = metrics.gauge("tern_web_open_files", "Handles kept open for larger files.", {
      site: name,
    });
    const kept = metrics.gauge("tern_web_store_bytes", "Bytes of compressed files on disk.", {
      site: name,
    });
    // The counters outlive this instance: what it has told already is not told again.
    const told = { quick: 0, hits: 0, misses: 0 };
    return metrics.onSnapshot(() => {
      const { quickHits, shelf } = site;
      quick.add(quickHits - told.quick);
      hits.add(shelf.hits - told.hits);
      misses.add(shelf.misses - told.misses);
      Object.assign(told, { quick: quickHits, hits: shelf.hits, misses: shelf.misses });
      entries.set(shelf.entries);
      bytes.set(shelf.bytes);
      open.set(shelf.openFiles);
      // One directory for all workers: their sum must count it once.
      kept.set(first ? (store?.bytes ?? 0) : 0);
    });
  });
  return () => forget.forEach((one) => one());
}

async function purge(
  running: readonly Running[],
  { path, site: name }: { site?: string | undefined; path?: string | undefined },
): Promise<{ purged: number }> {
  let purged = 0;
  for (const { name: own, site, store } of running) {
    if (name !== undefined && name !== own) continue;
    const before = site.shelf.entries;
    if (path === undefined) {
      site.shelf.clear();
      await store?.purge();
    } else {
      site.shelf.forget(path);
      if (path.endsWith("/")) site.shelf.forgetUnder(directoryOf(path));
    }
    purged += before - site.shelf.entries;
  }
  return { purged };
}
