/** What an operator may ask of the caches of all proxies. */
import * as v from "valibot";

import { ageAt } from "../../../wire/http/caching/reuse.ts";
import type { Action } from "../../service.ts";
import { type BanKind, urlOf } from "./bans.ts";
import type { Entry } from "./entry.ts";
import type { OpenCache } from "./open.ts";
import { urlKey } from "./target.ts";

/** Responses told of at most, by each worker. */
const MOST_LISTED = 10_000;
const SECOND = 1000;

const proxy = v.optional(v.pipe(v.string(), v.description("Only of this proxy.")));
const about = (text: string) => v.optional(v.pipe(v.string(), v.description(text)));

const purgeInput = v.pipe(
  v.strictObject({
    proxy,
    url: about('A URL, with its query: "example.net/news?p=2".'),
    prefix: about('All that begins so: "example.net/news/".'),
    tag: about("All that has this tag in Cache-Tag or Surrogate-Key."),
    all: v.optional(v.pipe(v.boolean(), v.description("Everything."))),
  }),
  v.check(
    ({ url, prefix, tag, all }) =>
      [url, prefix, tag, all || undefined].filter((said) => said !== undefined).length === 1,
    "say one of url, prefix, tag and all",
  ),
);
const listInput = v.strictObject({
  proxy,
  prefix: about("Only what begins so."),
  limit: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.maxValue(MOST_LISTED),
      v.description("Most of them."),
    ),
    100,
  ),
});
type Purge = v.InferOutput<typeof purgeInput>;
type List = v.InferOutput<typeof listInput>;

/** A stored response, as it is told of. */
export interface Listed {
  readonly proxy: string;
  readonly url: string;
  /** What it varies by; "" when it does not. */
  readonly variant: string;
  readonly status: number;
  readonly bytes: number;
  /** Seconds; `ttl` is negative when it is stale. */
  readonly age: number;
  readonly ttl: number;
  readonly tags: string;
}

/** `caches`: by the proxy's name. */
export function actionsOf(caches: ReadonlyMap<string, OpenCache>): Record<string, Action<any>> {
  const chosen = (name: string | undefined): [string, OpenCache][] => {
    if (name === undefined) return [...caches];
    const one = caches.get(name);
    if (one === undefined) throw new Error(`no proxy ${JSON.stringify(name)} has a cache`);
    return [[name, one]];
  };
  return {
    purge: {
      about:
        "make sure that stored responses are not used any more: of a URL, a prefix, a tag, or all",
      input: purgeInput,
      run: async (input: Purge) => ({
        purged: chosen(input.proxy).reduce((sum, [, { cache, home }]) => {
          return sum + home.purge([banOf(input, cache.query)]);
        }, 0),
      }),
    },
    ls: {
      about: "stored responses in memory, the latest first",
      input: listInput,
      run: async ({ proxy: name, prefix = "", limit }: List) =>
        chosen(name).flatMap(([of, { home }]) =>
          list(of, home.store.memory.entries(), prefix, limit),
        ),
    },
    stat: {
      about: "hits, misses and what is stored, of each proxy's cache",
      input: v.strictObject({ proxy }),
      run: async ({ proxy: name }: { proxy?: string | undefined }) =>
        Object.fromEntries(chosen(name).map(([of, one]) => [of, one.stats()])),
    },
  };
}

function banOf(
  { url, prefix, tag }: Purge,
  query: Parameters<typeof urlKey>[1],
): { kind: BanKind; value: string } {
  if (tag !== undefined) return { kind: "tag", value: tag };
  const said = url ?? prefix;
  if (said === undefined) return { kind: "all", value: "" };
  const value = urlKey(said, prefix === undefined ? query : { sort: false, drop: [] });
  if (value === undefined) throw new Error(`expected "host/path", got ${JSON.stringify(said)}`);
  return { kind: url === undefined ? "prefix" : "url", value };
}

function list(
  proxyName: string,
  entries: Iterable<Entry>,
  prefix: string,
  limit: number,
): Listed[] {
  const now = Date.now();
  const all = [...entries].filter(({ key }) => key.startsWith(prefix));
  all.sort((a, b) => b.came - a.came);
  return all.slice(0, limit).map((entry) => {
    const age = ageAt(entry.freshness, now);
    return {
      proxy: proxyName,
      url: urlOf(entry.key),
      variant: entry.variant,
      status: entry.status,
      bytes: entry.body.length,
      age: Math.floor(age / SECOND),
      ttl: Math.floor((entry.freshness.lifetime - age) / SECOND),
      tags: entry.tags.join(" "),
    };
  });
}
