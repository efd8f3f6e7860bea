/** `cache:` of a proxy. */
import * as v from "valibot";

import { headerName } from "../../../config/http.ts";
import { key, maybe } from "../../../config/key.ts";
import { cidrList, duration, path, size } from "../../../config/scalars.ts";
import type { Rules } from "../../../wire/http/caching/stored.ts";

const bool: v.GenericSchema<unknown, boolean> = v.boolean();
const status = v.pipe(
  v.string(),
  v.regex(/^[2-5]\d\d$/, "expected a status such as 404"),
  v.notValue("206", "parts are not kept by themselves"),
  v.notValue("304", "there is nothing to keep of a 304"),
);

const query = v.strictObject({
  sort: key(bool, false, "The order of parameters makes no difference; servers see them sorted."),
  drop: key(
    v.array(v.pipe(v.string(), v.regex(/^[^&=#\s]+$/, 'expected a name such as "utm_*"'))),
    [],
    'Parameters that make no difference, "*" at the end for any; servers do not see them.',
  ),
});

const keyPart = v.pipe(
  v.string(),
  v.regex(
    /^(scheme|(header|cookie):[!#$%&'*+\-.^_`|~0-9A-Za-z]+)$/,
    'expected "scheme", "header:NAME" or "cookie:NAME"',
  ),
);

/** How long requests wait for another one for the same: true is 5 s, false not at all. */
const COLLAPSE_MS = 5000;
const collapse = v.pipe(
  v.union([bool, duration]),
  v.transform((said): number => (typeof said === "number" ? said : said ? COLLAPSE_MS : 0)),
);

/** Each part is a request, and a file; one is in memory for each client that reads. */
const SLICE_LEAST = 64 * 1024;
const SLICE_MOST = 1024 * 1024;

export const cacheSchema = v.strictObject({
  memory: key(size, "64MiB", "Bytes of responses held in memory by each worker."),
  disk: maybe(path, "Directory for responses that outlive a restart, shared by all workers."),
  disk_max: key(size, "1GiB", "Bytes of them; the longest unused go first."),
  open_files: key(
    v.pipe(v.number(), v.integer(), v.minValue(0)),
    1024,
    "Files of them that each worker keeps open, at most.",
  ),
  max_object: key(size, "100m", "Longer bodies are not kept, but for those in slices."),
  slice: maybe(
    v.pipe(
      size,
      v.minValue(SLICE_LEAST, "expected 64KiB or more"),
      v.maxValue(SLICE_MOST, "expected 1MiB or less"),
    ),
    "Longer bodies are fetched and kept in parts of so many bytes, where servers answer ranges.",
  ),
  stale_while_revalidate: key(
    duration,
    "0",
    "How long a stale response is used while a new one is fetched, where servers do not say.",
  ),
  stale_if_error: key(
    duration,
    "0",
    "How long a stale response stands in for an error, where servers do not say.",
  ),
  collapse: key(
    collapse,
    true,
    "Requests for what is being fetched wait for it: true, false or for how long.",
  ),
  defaults: key(
    v.record(status, duration),
    {},
    "Lifetimes by status for responses that tell none.",
  ),
  heuristic_max: key(
    duration,
    "1d",
    "Longest lifetime guessed from Last-Modified; 0 is no guessing.",
  ),
  client_control: key(bool, false, "Clients may ask for newer responses by Cache-Control."),
  query: v.optional(query, {}),
  key: key(v.array(keyPart), [], "What tells responses apart beside host, path and query."),
  purge: v.optional(
    v.strictObject({
      allow: key(cidrList, [], "Who may send PURGE; empty: nobody."),
      tags: key(headerName, "Cache-Tag", "Field of a PURGE that names tags instead of the URL."),
    }),
    {},
  ),
});

/** Durations are milliseconds, sizes bytes; `collapse` is 0 when off. */
export type CacheConfig = v.InferOutput<typeof cacheSchema>;

/** What decides where servers are silent. */
export function rulesOf(config: CacheConfig): Rules {
  return {
    defaults: new Map(
      Object.entries(config.defaults).map(([code, ms]) => [Number(code), ms / SECOND]),
    ),
    heuristicMost: config.heuristic_max / SECOND,
    staleWhileRevalidate: config.stale_while_revalidate / SECOND,
    staleIfError: config.stale_if_error / SECOND,
  };
}
const SECOND = 1000;
