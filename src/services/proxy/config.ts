/** The `proxy:` section: named proxies, each with its own listeners, routes and rules. */
import * as v from "valibot";

import { headerName, headerValue, limit, limits, urlPath } from "../../config/http.ts";
import { key, maybe, pathTo } from "../../config/key.ts";
import {
  addressList,
  cidrList,
  count,
  duration,
  size,
  socketOptions,
} from "../../config/scalars.ts";
import { cacheSchema } from "./cache/config.ts";

const bool: v.GenericSchema<unknown, boolean> = v.boolean();

/** Fields that frame a message or belong to one connection are not the operator's to set. */
const OF_THE_HOP =
  /^(connection|content-length|host|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/i;
const fieldChanges = v.record(
  v.pipe(
    headerName,
    v.check(
      (name) => !OF_THE_HOP.test(name),
      "the proxy says this field itself (Host: see host_header)",
    ),
  ),
  v.nullable(headerValue),
);
const headers = v.strictObject({
  request: key(fieldChanges, {}, "Fields set on what goes to servers; null takes one away."),
  response: key(fieldChanges, {}, "Fields set on what goes to clients; null takes one away."),
});

const hostPattern = v.pipe(
  v.string(),
  v.toLowerCase(),
  v.regex(
    /^(\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/,
    'expected a name, "*.example.net" or "*"',
  ),
);
const method = v.pipe(
  v.string(),
  v.regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'expected a method such as "GET"'),
);

const redirect = v.strictObject({
  to: v.pipe(
    v.string(),
    v.regex(/^(\/|https?:\/\/)[!-~]*$/i, 'expected "/path" or "https://host/path"'),
    v.description('Where to; "*" stands for the path that was asked for.'),
  ),
  status: key(v.picklist([301, 302, 303, 307, 308]), 302, "301 and 308 are for ever."),
});

const routeKeys = v.strictObject({
  host: key(hostPattern, "*", 'Name asked for: exact, "*.example.net" or "*". Exact wins.'),
  path: key(urlPath, "/", "Beginning of the path; the longest that fits wins."),
  methods: key(v.array(method), [], "Only these methods; empty: all."),
  pool: maybe(v.string(), "The pool of `pools:` whose servers are asked."),
  redirect: maybe(redirect, "Answer with a redirect instead."),
  timeout: key(duration, "60s", "Longest silence of a server before it is given up: 504."),
  strip: key(bool, false, "Take `path` off before servers see it."),
  prefix: maybe(urlPath, "Put this before the path that servers see."),
  host_header: key(
    v.union([v.picklist(["client", "server"]), hostPattern]),
    "client",
    "Host that servers see: what the client asked for, the server's own address, or this name.",
  ),
  websocket: key(bool, false, "Let connections change to another protocol."),
  cache: key(bool, true, "Answer from the proxy's cache, where it has one."),
  headers: v.optional(headers, {}),
});

const route = v.pipe(
  routeKeys,
  v.rawCheck(({ addIssue, dataset }) => {
    if (!dataset.typed) return;
    const { pool, redirect: other } = dataset.value;
    if ((pool === undefined) === (other === undefined))
      addIssue({
        message: "expected one of `pool` and `redirect`",
        path: pathTo(dataset.value, pool === undefined ? "pool" : "redirect"),
      });
  }),
);

const upstream = v.strictObject({
  connect_timeout: key(duration, "5s", "Longest wait for one server; then the next is asked."),
  idle: key(count(), 64, "Idle connections kept to each server by each worker."),
  idle_timeout: key(duration, "20s", "How long one is kept: less than servers do."),
  head: key(size, "32k", "Longest head of a response."),
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
export type RouteConfig = OneProxy["routes"][number];
export type FieldChanges = Readonly<Record<string, string | null>>;
