/** One route of a proxy: which requests it is for, and what becomes of them. */
import * as v from "valibot";

import { headerName, headerValue, urlPath } from "../../config/http.ts";
import { key, maybe, pathTo } from "../../config/key.ts";
import { cidr, count, duration, passwordHash, size } from "../../config/scalars.ts";
import { backendTls } from "../../config/tls.ts";
import { corsSchema } from "./cors.ts";

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
export const headers = v.strictObject({
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

const share = v.strictObject({
  pool: v.pipe(v.string(), v.description("The pool.")),
  weight: key(count(), 1, "Its share; 0: nobody."),
});

const PORT = v.pipe(count(1), v.maxValue(65_535));
const FORWARD_PORTS = { port: 80, ports: [80, 443, 8080] };
const forwardHosts = v.pipe(
  v.array(v.union([cidr, v.pipe(hostPattern, v.description("A name."))])),
  v.description('Hosts that may be asked for: names, "*.example.net", "*"; addresses, networks.'),
);
const forward = v.strictObject({
  allow: forwardHosts,
  port: key(PORT, FORWARD_PORTS.port, "Port of hosts that are asked for without one."),
  ports: key(v.array(PORT), FORWARD_PORTS.ports, "Ports that may be asked for."),
});

const basic = v.strictObject({
  realm: key(v.pipe(v.string(), v.regex(/^[\x20-\x7e]*$/)), "restricted", "Shown by the browser."),
  users: v.pipe(v.record(v.string(), passwordHash), v.description("Password hashes by name.")),
});
const forwardAuth = v.strictObject({
  pool: v.pipe(v.string(), v.description("The pool whose servers say who may come in.")),
  path: key(urlPath, "/", "What they are asked for: a 2xx lets the request in."),
  headers: key(
    v.array(headerName),
    [],
    "Fields of their answer that servers see as part of the request.",
  ),
  timeout: key(duration, "5s", "Longest silence of them: 504."),
});
const auth = v.union([basic, v.strictObject({ forward: forwardAuth })]);

const routeKeys = v.strictObject({
  host: key(hostPattern, "*", 'Name asked for: exact, "*.example.net" or "*". Exact wins.'),
  path: key(urlPath, "/", "Beginning of the path; the longest that fits wins."),
  methods: key(v.array(method), [], "Only these methods; empty: all."),
  when: maybe(
    v.record(headerName, headerValue),
    'Only requests with these fields; "*" is any value, "cookie" fits one of its pairs. Wins over routes without.',
  ),
  pool: maybe(v.string(), "The pool of `pools:` whose servers are asked."),
  split: maybe(
    v.pipe(v.array(share), v.minLength(1)),
    "Several pools instead, each with its share of the clients; a client stays with its pool.",
  ),
  forward: maybe(
    v.union([v.literal(true), forward]),
    "Go to the host that is asked for, instead of a pool; true: of those that `allow` lists.",
  ),
  allow: maybe(forwardHosts, "With `forward: true`: hosts that may be asked for."),
  redirect: maybe(redirect, "Answer with a redirect instead."),
  timeout: key(duration, "60s", "Longest silence of a server before it is given up: 504."),
  total_timeout: key(duration, 0, "Longest time for all of a request, every try included; 0: any."),
  strip: key(bool, false, "Take `path` off before servers see it."),
  prefix: maybe(urlPath, "Put this before the path that servers see."),
  host_header: key(
    v.union([v.picklist(["client", "server"]), hostPattern]),
    "client",
    "Host that servers see: what the client asked for, the server's own address, or this name.",
  ),
  backend_tls: key(v.nullable(backendTls), null, "Speak TLS with the servers."),
  auth: maybe(auth, "Who may come in: users of this file, or whom another server lets in."),
  cors: maybe(corsSchema, "Answer browsers that ask on behalf of other sites (CORS)."),
  max_body: maybe(size, "Largest request body, when less than that of the proxy."),
  max_response: maybe(
    size,
    "Largest response body: 502, or a broken connection when it is found out late.",
  ),
  retry_body: key(
    size,
    0,
    "Bodies up to this are held until a server has answered, so that PUT and DELETE can be asked again.",
  ),
  websocket: key(bool, false, "Let connections change to another protocol."),
  cache: key(bool, true, "Answer from the proxy's cache, where it has one."),
  esi: key(
    bool,
    false,
    'Put pages together of which servers say Surrogate-Control: content="ESI/1.0".',
  ),
  headers: v.optional(headers, {}),
});

const TARGETS = ["pool", "split", "forward", "redirect"] as const;

export const route = v.pipe(
  routeKeys,
  v.rawCheck(({ addIssue, dataset }) => {
    if (!dataset.typed) return;
    const { value } = dataset;
    const said = TARGETS.filter((name) => value[name] !== undefined);
    if (said.length !== 1)
      addIssue({
        message: "expected one of `pool`, `split`, `forward` and `redirect`",
        path: pathTo(value, said[1] ?? "pool"),
      });
    if (value.allow !== undefined && value.forward !== true)
      addIssue({ message: "needs `forward: true`", path: pathTo(value, "allow") });
  }),
  v.transform(({ allow = [], forward: to, ...route }) => {
    return { ...route, forward: to === true ? { allow, ...FORWARD_PORTS } : to };
  }),
);

export type RouteConfig = v.InferOutput<typeof route>;
export type AuthConfig = NonNullable<RouteConfig["auth"]>;
export type ForwardConfig = NonNullable<RouteConfig["forward"]>;
export type FieldChanges = Readonly<Record<string, string | null>>;
