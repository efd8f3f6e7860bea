/** The `web:` section: named sites, each with its own listeners, names, files and rules. */
import * as v from "valibot";

import { addressList, duration, rate, secret, size, socketOptions } from "../../config/scalars.ts";

/** Content codings this server can make or find beside a file, by their HTTP names. */
export const CODINGS = ["zstd", "br", "gzip"] as const;
export type Coding = (typeof CODINGS)[number];

/** `root:` of the page that greets a first start; served from inside the executable. */
export const WELCOME = "builtin:welcome";

const urlPath = v.pipe(v.string(), v.regex(/^\/[^?#\s]*$/, 'expected a path such as "/private/"'));

const headerName = v.pipe(
  v.string(),
  v.regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'expected a field name such as "X-Frame-Options"'),
);
/** A value may hold no control characters: a line break would be a second field. */
const headerValue = v.pipe(
  v.string(),
  v.regex(/^[\t\x20-\x7e\x80-\xff]*$/, "expected printable text on one line"),
);
const headers = v.record(headerName, headerValue);

const extension = v.pipe(
  v.string(),
  v.transform((text) => text.replace(/^\./, "").toLowerCase()),
  v.regex(/^[^/\s]+$/, 'expected a file extension such as "html"'),
);

const gzip = v.strictObject({
  enabled: v.optional(v.boolean(), true), // compress on the fly; files beside the original are sent either way
  min: v.optional(size, "1k"), // smaller files gain nothing
  max: v.optional(size, "100m"), // larger files are sent as they are
  types: v.optional(v.array(extension), [
    ...["html", "htm", "js", "mjs", "css", "txt", "xml", "json", "svg"],
    ...["md", "csv", "wasm", "webmanifest", "map", "ico", "ttf", "otf"],
  ]),
  store: v.optional(v.boolean(), true), // keep results on disk, so that a restart need not make them again
  store_max: v.optional(size, "1GiB"), // bytes of them; the least used go first
});

const cache = v.strictObject({
  memory: v.optional(size, "64MiB"), // bytes of bodies held in memory
  ttl: v.optional(duration, "10s"), // longest time until a change on disk is seen; inotify makes it at once
  small: v.optional(size, "64KiB"), // larger files are sent from disk with sendfile
  open_files: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 1000), // handles kept open for them
});

const webdav = v.strictObject({
  enabled: v.optional(v.boolean(), false),
  writers: v.optional(v.array(v.string()), ["127.0.0.1", "::1"]), // addresses, ranges, CIDRs, or users of `auth`
  locks: v.optional(v.boolean(), true), // class 2: LOCK and UNLOCK
  max_body: v.optional(size, "10g"), // largest upload
});

const auth = v.strictObject({
  realm: v.optional(v.pipe(v.string(), v.regex(/^[\x20-\x7e]*$/)), "restricted"),
  users: v.record(v.string(), secret), // name: argon2id hash, as `tern hash-password` prints it
  paths: v.optional(v.array(urlPath), ["/"]), // prefixes that ask for a user
});

const limit = v.strictObject({
  rate: v.optional(rate, "100/s"), // steady requests per client
  burst: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 200), // requests at once
  by: v.optional(v.picklist(["ip"]), "ip"),
});

const redirect = v.strictObject({
  from: urlPath, // a path, or a prefix that ends in "*"
  to: v.pipe(
    v.string(),
    v.regex(/^(\/|https?:\/\/)[^\s]*$/i, 'expected "/path" or "https://host/path"'),
  ), // "*" stands for what "*" matched
  status: v.optional(v.picklist([301, 302, 303, 307, 308]), 301),
});

const limits = v.strictObject({
  head: v.optional(size, "16k"), // bytes of request line and fields
  head_timeout: v.optional(duration, "15s"), // longest wait for a whole head
  body_timeout: v.optional(duration, "60s"), // longest silence within a body, either way
  keep_alive: v.optional(duration, "75s"), // longest idle time between requests
  ranges: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 16), // ranges in one request; more are answered whole
});

const site = v.strictObject({
  listen: v.optional(addressList, [":8080"]),
  socket: v.optional(socketOptions, {}), // overrides of the global `socket:`
  hosts: v.optional(v.array(v.pipe(v.string(), v.toLowerCase())), ["*"]), // exact, "*.example.net" or "*"
  root: v.optional(v.string(), "./www"), // a directory, or "builtin:welcome"
  index: v.optional(v.array(v.pipe(v.string(), v.regex(/^[^/]+$/))), ["index.html", "index.htm"]),
  autoindex: v.optional(v.union([v.boolean(), v.picklist(["html", "json"])]), false), // true: HTML, or JSON for who asks
  fallback: v.optional(v.nullable(urlPath), null), // sent for paths that do not exist: "/index.html"
  error_pages: v.optional(
    v.record(
      v.pipe(v.string(), v.regex(/^([45]\d\d|[45]xx)$/, 'expected "404" or "5xx"')),
      urlPath,
    ),
    {},
  ),
  redirects: v.optional(v.array(redirect), []),
  dotfiles: v.optional(v.picklist(["hide", "allow", "deny"]), "hide"), // 404, sent, 403; /.well-known/ is always sent
  symlinks: v.optional(v.picklist(["beneath", "follow", "owner", "never"]), "beneath"), // beneath: followed, but never out of the root
  mime_types: v.optional(v.record(extension, headerValue), {}),
  charset: v.optional(v.nullable(v.pipe(v.string(), v.regex(/^[\w.:-]+$/))), "utf-8"), // of text types
  gzip: v.optional(gzip, {}),
  encodings: v.optional(v.array(v.picklist(CODINGS)), ["zstd", "br", "gzip"]), // in order of liking
  precompressed: v.optional(v.boolean(), true), // send page.html.br beside page.html when it is not older
  cache: v.optional(cache, {}),
  expires: v.optional(v.record(v.union([v.literal("*"), extension]), duration), {}), // Cache-Control and Expires by extension
  webdav: v.optional(webdav, {}),
  headers: v.optional(headers, { "X-Content-Type-Options": "nosniff" }),
  path_headers: v.optional(v.record(urlPath, headers), {}), // more of them for files under a path
  early_hints: v.optional(v.record(urlPath, v.array(headerValue)), {}), // Link values by path
  auth: v.optional(v.nullable(auth), null),
  limit: v.optional(v.nullable(limit), null),
  limits: v.optional(limits, {}),
  pipelining: v.optional(v.boolean(), true),
  http2: v.optional(v.boolean(), true),
  http3: v.optional(v.boolean(), false),
  tls: v.optional(v.boolean(), false),
});

/** The whole section. */
export const webSchema = v.record(v.string(), site);
export type WebConfig = v.InferOutput<typeof webSchema>;
/** One site. Durations are milliseconds, sizes bytes. */
export type SiteConfig = v.InferOutput<typeof site>;
export type WebdavConfig = SiteConfig["webdav"];
export type SymlinkPolicy = SiteConfig["symlinks"];
export type DotfilePolicy = SiteConfig["dotfiles"];
