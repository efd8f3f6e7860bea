/** The `web:` section: named sites, each with its own listeners, names, files and rules. */
import * as v from "valibot";

import {
  headerName,
  headerValue,
  limit,
  limits as httpLimits,
  urlPath,
} from "../../config/http.ts";
import {
  addressList,
  count,
  duration,
  key,
  passwordHash,
  path,
  pathTo,
  size,
  socketOptions,
} from "../../config/scalars.ts";
import { isWriter } from "./writers.ts";

/** `root:` of the page that greets a first start; served from inside the executable. */
export const WELCOME = "builtin:welcome";

const bool: v.GenericSchema<unknown, boolean> = v.boolean();

/** What frames a message, or says how it is coded, is the server's to say. */
const OWN =
  /^(connection|content-(length|encoding|range)|transfer-encoding|date|etag|trailer|upgrade)$/i;
const headers = v.record(
  v.pipe(
    headerName,
    v.check((name) => !OWN.test(name), "the server says this field itself"),
  ),
  headerValue,
);

const extension = v.pipe(
  v.string(),
  v.transform((text) => text.replace(/^\./, "").toLowerCase()),
  v.regex(/^[^/\s]+$/, 'expected a file extension such as "html"'),
);

const gzip = v.strictObject({
  enabled: key(
    bool,
    true,
    "Compress on the fly. Compressed files beside the original are another key: precompressed.",
  ),
  min: key(size, "1k", "Smaller files gain nothing."),
  max: key(size, "100m", "Larger files are sent as they are."),
  types: key(
    v.array(extension),
    [
      "html",
      "htm",
      "js",
      "mjs",
      "css",
      "txt",
      "xml",
      "json",
      "svg",
      "md",
      "csv",
      "wasm",
      "webmanifest",
      "map",
    ],
    "Extensions worth compressing.",
  ),
  store: key(bool, true, "Keep results on disk, so that a restart need not make them again."),
  store_max: key(size, "1GiB", "Bytes of them; the longest unused go first."),
});

const cache = v.strictObject({
  memory: key(size, "64MiB", "Bytes of bodies held in memory by each worker; 0 is off."),
  ttl: key(
    duration,
    "10s",
    "Longest time until a change on disk is seen; inotify makes it at once.",
  ),
  small: key(size, "64KiB", "Larger files are sent from disk with sendfile."),
  open_files: key(count(), 1000, "Handles kept open for larger files by each worker."),
});

const webdav = v.strictObject({
  enabled: key(bool, false, "Answer WebDAV requests."),
  writers: key(
    v.array(v.string()),
    ["127.0.0.1", "::1"],
    "Who may change files: addresses, ranges, networks, or users of auth.",
  ),
  locks: key(bool, true, "Class 2: LOCK and UNLOCK."),
  max_body: key(size, "10g", "Largest upload."),
});

const auth = v.strictObject({
  realm: key(v.pipe(v.string(), v.regex(/^[\x20-\x7e]*$/)), "restricted", "Shown by the browser."),
  users: v.record(v.string(), passwordHash),
  paths: key(v.array(urlPath), ["/"], "Prefixes of paths that ask for a user."),
});

const redirect = v.strictObject({
  from: v.pipe(urlPath, v.description('A path, or a prefix that ends in "*".')),
  to: v.pipe(
    v.string(),
    v.regex(/^(\/|https?:\/\/)[!-~]*$/i, 'expected "/path" or "https://host/path"'),
    v.description('Where to; "*" stands for what "*" matched.'),
  ),
  status: key(v.picklist([301, 302, 303, 307, 308]), 301, "301 and 308 are for ever."),
});

const limits = v.strictObject({
  ...httpLimits,
  ranges: key(count(), 16, "Ranges in one request; when there are more, the whole file is sent."),
});

const keys = v.strictObject({
  listen: key(addressList, ":8080", "Addresses to listen on."),
  socket: v.optional(socketOptions, {}),
  hosts: key(
    v.array(v.pipe(v.string(), v.toLowerCase())),
    ["*"],
    'Names: exact, "*.example.net" or "*".',
  ),
  root: key(v.union([v.literal(WELCOME), path]), "./www", 'Directory, or "builtin:welcome".'),
  index: key(
    v.array(v.pipe(v.string(), v.regex(/^[^/]+$/))),
    ["index.html", "index.htm"],
    "Files sent for a directory; the first that exists.",
  ),
  autoindex: key(
    v.union([v.boolean(), v.picklist(["html", "json"])]),
    false,
    "List directories without index: as HTML, as JSON, or (true) as the client asks.",
  ),
  fallback: key(
    v.nullable(urlPath),
    null,
    'Sent for paths that do not exist: "/index.html" for a single-page app.',
  ),
  error_pages: key(
    v.record(
      v.pipe(v.string(), v.regex(/^([45]\d\d|[45]xx)$/, 'expected "404" or "5xx"')),
      urlPath,
    ),
    {},
    "Files sent with errors, by status or class of it.",
  ),
  redirects: key(v.array(redirect), [], "Paths that have moved; the first that matches."),
  dotfiles: key(
    v.picklist(["hide", "allow", "deny"]),
    "hide",
    "Files whose name begins with a dot: 404, sent, or 403. /.well-known/ is always sent.",
  ),
  symlinks: key(
    v.picklist(["beneath", "follow", "owner", "never"]),
    "beneath",
    "Symbolic links: followed within the root, anywhere, when they belong to the target's owner, or never.",
  ),
  mime_types: key(
    v.record(extension, headerValue),
    {},
    "Content-Type by extension, before the built-in table.",
  ),
  charset: key(
    v.nullable(v.pipe(v.string(), v.regex(/^[\w.:-]+$/))),
    "utf-8",
    "Of text types that say none.",
  ),
  gzip: v.optional(gzip, {}),
  encodings: key(
    v.array(v.picklist(["zstd", "br", "gzip"])),
    ["zstd", "br", "gzip"],
    "Content codings, in order of liking.",
  ),
  precompressed: key(
    bool,
    true,
    "Send page.html.br, .zst or .gz for page.html when it is not older.",
  ),
  cache: v.optional(cache, {}),
  expires: key(
    v.record(v.union([v.literal("*"), extension]), duration),
    {},
    'Cache-Control and Expires by extension; "*" for all others.',
  ),
  webdav: v.optional(webdav, {}),
  headers: key(headers, { "X-Content-Type-Options": "nosniff" }, "Fields of every response."),
  path_headers: key(
    v.record(urlPath, headers),
    {},
    "More of them, by prefix of the file's path; the longest wins.",
  ),
  early_hints: key(
    v.record(urlPath, v.array(headerValue)),
    {},
    "Link fields, also sent ahead with 103, by path.",
  ),
  auth: key(v.nullable(auth), null, "Basic authentication."),
  limit: key(v.nullable(limit), null, "Requests per client; beyond it 429."),
  limits: v.optional(limits, {}),
  pipelining: key(bool, true, "Answer pipelined requests without waiting for each to be read."),
  http2: key(bool, true, "HTTP/2, over TLS."),
  http3: key(bool, false, "HTTP/3, over TLS."),
  tls: key(bool, false, "TLS on every listener of this site."),
});

const site = v.pipe(
  keys,
  v.rawCheck(({ addIssue, dataset }) => {
    if (!dataset.typed) return;
    const { auth: login, webdav: dav } = dataset.value;
    for (const [i, writer] of dav.writers.entries()) {
      if (isWriter(writer, Object.keys(login?.users ?? {}))) continue;
      addIssue({
        message: `"${writer}" is neither an address, a range or a network, nor a user of auth`,
        path: pathTo(dataset.value, "webdav", "writers", i),
      });
    }
  }),
);

/** The whole section. */
export const webSchema = v.record(v.string(), site);
export type WebConfig = v.InferOutput<typeof webSchema>;
/** One site. Durations are milliseconds, sizes bytes. */
export type SiteConfig = v.InferOutput<typeof site>;
export type WebdavConfig = SiteConfig["webdav"];
export type SymlinkPolicy = SiteConfig["symlinks"];
export type DotfilePolicy = SiteConfig["dotfiles"];
