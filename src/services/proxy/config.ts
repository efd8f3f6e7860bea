/** The `proxy:` section: named proxies, each with its own listeners, routes and rules. */
import * as v from "valibot";

import { headerName, limits } from "../../config/http.ts";
import { key, maybe } from "../../config/key.ts";
import {
  addressList,
  cidrList,
  count,
  duration,
  path,
  rate,
  secret,
  size,
  socketOptions,
} from "../../config/scalars.ts";
import { cacheSchema } from "./cache/config.ts";
import { type FieldChanges, headers, route, type RouteConfig } from "./route-config.ts";

export type { FieldChanges, RouteConfig };

const bool: v.GenericSchema<unknown, boolean> = v.boolean();

const limit = v.strictObject({
  rate: key(rate, "100/s", "Steady requests per client."),
  burst: key(count(1), 200, "Requests at once."),
  by: key(
    v.union([
      v.literal("ip"),
      v.pipe(
        v.string(),
        v.regex(/^header:[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'expected "ip" or "header:NAME"'),
      ),
    ]),
    "ip",
    "What tells clients apart: their address (IPv6 by /64), or header:NAME; who lacks it counts by address.",
  ),
});

const sticky = v.strictObject({
  cookie: key(headerName, "tern", "Name of the cookie, for pools with `sticky: cookie`."),
  secret: maybe(secret, "What it is signed with; when absent, a key made in `state`."),
  max_age: key(duration, 0, "How long browsers keep it; 0: until they are closed."),
});

const compress = v.strictObject({
  types: key(
    v.array(v.pipe(v.string(), v.toLowerCase())),
    [
      "text/*",
      "application/json",
      "application/javascript",
      "application/xml",
      "application/manifest+json",
      "application/wasm",
      "image/svg+xml",
    ],
    'Content types worth it; "text/*" is all of a kind. Never text/event-stream.',
  ),
  min: key(size, "1k", "Shorter bodies gain nothing."),
  encodings: key(
    v.array(v.picklist(["zstd", "br", "gzip"])),
    ["br", "gzip"],
    "Content codings, in order of liking.",
  ),
});

const statusKey = v.pipe(
  v.string(),
  v.regex(/^([45]\d\d|[45]xx)$/, 'expected a status such as 503, or "5xx"'),
);
const upstream = v.strictObject({
  connect_timeout: key(duration, "5s", "Longest wait for one server; then the next is asked."),
  idle: key(count(), 64, "Idle connections kept to each server by each worker."),
  idle_timeout: key(duration, "20s", "How long one is kept: less than servers do."),
  head: key(size, "32k", "Longest head of a response."),
  max_pending: key(
    count(),
    0,
    "Requests in hand for each pool, per worker; beyond it 503 at once. 0: any number.",
  ),
  retry_budget: key(
    v.pipe(count(), v.maxValue(100)),
    20,
    "Requests asked again are at most so many percent of all, beside ten at once.",
  ),
});

const keys = v.strictObject({
  listen: key(addressList, ":8081", "Addresses to listen on."),
  socket: v.optional(socketOptions, {}),
  routes: v.pipe(
    v.array(route),
    v.minLength(1),
    v.description(
      "What is asked of whom. Of those that fit, the most exact host, then the longest path.",
    ),
  ),
  headers: v.optional(headers, {}),
  trust: key(
    cidrList,
    [],
    "Proxies before this one: their X-Forwarded fields are believed and handed on.",
  ),
  allow: key(cidrList, [], "Who may ask; empty: everybody."),
  deny: key(cidrList, [], "Who may not, even if allowed."),
  limit: key(v.nullable(limit), null, "Requests per client; beyond it 429."),
  forwarded: key(bool, false, "Also tell servers of the client by Forwarded (RFC 7239)."),
  sticky: v.optional(sticky, {}),
  compress: key(v.nullable(compress), null, "Compress what servers send uncompressed."),
  error_pages: key(
    v.record(statusKey, path),
    {},
    'Files sent in place of our own error texts: { "503": ./sorry.html, 5xx: ./oops.html }.',
  ),
  intercept_errors: key(bool, false, "Also in place of what servers say with these statuses."),
  max_body: key(size, "1GiB", "Largest request body."),
  upstream: v.optional(upstream, {}),
  cache: maybe(cacheSchema, "Keep responses that may be kept (RFC 9111); absent: none."),
  limits: v.optional(v.strictObject(limits), {}),
  http2: key(bool, true, "HTTP/2, over TLS."),
  http3: key(bool, false, "HTTP/3, over TLS."),
  tls: key(bool, false, "TLS on every listener of this proxy."),
});

/** The whole section. */
export const proxySchema = v.record(v.string(), keys);
export type ProxyConfig = v.InferOutput<typeof proxySchema>;
/** One proxy. Durations are milliseconds, sizes bytes. */
export type OneProxy = v.InferOutput<typeof keys>;
