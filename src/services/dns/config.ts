/** The `dns:` section: named servers, each with its own listeners, zones and computed names. */
import * as v from "valibot";

import { key } from "../../config/key.ts";
import { oneOrMany } from "../../config/scalar.ts";
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
import { MIN_UDP_SIZE, SAFE_UDP_SIZE } from "../../wire/dns/edns.ts";
import { parseName } from "../../wire/dns/name.ts";
import { lrrr } from "./lrrr/config.ts";
import { names } from "./names/config.ts";
import { tap } from "./tap/config.ts";
import { ANSWER_ROOM } from "./udp-plane.ts";
import { zone } from "./zone-config.ts";

const bool: v.GenericSchema<unknown, boolean> = v.boolean();
const text: v.GenericSchema<unknown, string> = v.pipe(
  v.string(),
  v.check((s) => new TextEncoder().encode(s).length <= 255, "expected at most 255 bytes"),
);

/** A name as keys of maps have it; `example.net` and `example.net.` are the same. */
const domainName = v.pipe(
  v.string(),
  v.check(
    (name) => name !== "" && parseName(name) !== undefined,
    'expected a name such as "example.net"',
  ),
);

const rrl = v.strictObject({
  rate: key(rate, "200/s", "Answers of one kind to one network."),
  slip: key(
    count(),
    2,
    "Every so manieth answer beyond it is sent, cut to nothing, so that real clients ask by TCP; 0: none.",
  ),
  exempt: key(cidrList, [], "Networks without a limit."),
});

const tcp = v.strictObject({
  idle: key(duration, "10s", "Longest time between two messages of a client."),
  max_connections: key(
    count(1),
    10_000,
    "Connections per listener and worker; for a new one, the longest idle leaves.",
  ),
  per_client: key(count(1), 1000, "Of these by one address."),
});

const tls = v.strictObject({
  listen: key(addressList, ":853", "Addresses of DNS over TLS."),
});

const https = v.strictObject({
  listen: key(addressList, ":8443", "Addresses of DNS over HTTPS."),
  path: key(
    v.pipe(v.string(), v.regex(/^\/[!-~]*$/, 'expected a path such as "/dns-query"')),
    "/dns-query",
    "Where questions are asked.",
  ),
  hosts: key(v.array(v.pipe(v.string(), v.toLowerCase())), ["*"], "Names, as those of web sites."),
  tls: key(bool, true, "Off only behind somebody else's TLS."),
});

/** Algorithms of RFC 8945, 6 that are still safe, and SHA-1, which some peers have left. */
export const TSIG_ALGORITHMS = [
  "hmac-sha1",
  "hmac-sha224",
  "hmac-sha256",
  "hmac-sha384",
  "hmac-sha512",
] as const;

const tsigKey = v.strictObject({
  algorithm: key(v.picklist(TSIG_ALGORITHMS), "hmac-sha256", "How it is used."),
  secret: v.pipe(secret, v.description("The shared secret, in base64.")),
});

const cookies = v.strictObject({
  enabled: key(bool, true, "DNS cookies (RFC 7873): a client that shows one is who it says."),
  secret: v.optional(
    v.pipe(
      v.nullable(secret),
      v.description(
        "32 hex digits, the same on all servers of an anycast address; else made here.",
      ),
    ),
    null,
  ),
});

const chaos = v.strictObject({
  version: key(v.nullable(text), null, "What version.bind and version.server say."),
  id: key(v.nullable(text), null, "What id.server and hostname.bind say."),
});

const queryLog = v.strictObject({
  file: v.pipe(path, v.description("A line of JSON for each question logged.")),
  sample: key(
    v.pipe(v.number() as v.GenericSchema<unknown, number>, v.minValue(0), v.maxValue(1)),
    1,
    "The part of the questions that is logged: 0.01 is one in a hundred.",
  ),
  rotate: key(size, "100MiB", "Another file is begun at this size."),
  keep: key(count(), 7, "Files kept besides."),
});

const udpSize = v.pipe(
  v.number() as v.GenericSchema<unknown, number>,
  v.integer(),
  v.minValue(MIN_UDP_SIZE),
  v.maxValue(ANSWER_ROOM),
);

const keys = v.strictObject({
  listen: key(addressList, ":53", "Addresses to answer on, UDP and TCP."),
  socket: v.optional(socketOptions, {}),
  zones: key(v.record(domainName, zone), {}, "Zones, by name."),
  names: v.optional(names, {}),
  lrrr: key(
    v.nullable(lrrr),
    null,
    "Two servers far apart find out which of them a resolver is nearer to.",
  ),
  geoip: key(
    oneOrMany<string>(path),
    [],
    "MaxMind databases that say where clients are: countries, cities, AS numbers.",
  ),
  ecs: key(bool, true, "Believe resolvers that tell whom they ask for (RFC 7871)."),
  keys: key(v.record(domainName, tsigKey), {}, "Secrets shared with other servers, by name."),
  rrl: key(v.nullable(rrl), null, "A limit for answers over UDP (response rate limiting)."),
  amplification: key(
    v.pipe(v.number() as v.GenericSchema<unknown, number>, v.minValue(0)),
    3,
    "How many times larger than the question, IP headers included, an answer over UDP may be for clients that have not shown who they are; 0: any.",
  ),
  udp_size: key(udpSize, SAFE_UDP_SIZE, "Largest answer over UDP, in bytes."),
  tcp: v.optional(tcp, {}),
  tls: key(v.nullable(tls), null, "DNS over TLS."),
  https: key(v.nullable(https), null, "DNS over HTTPS."),
  cookies: v.optional(cookies, {}),
  cache: key(size, "32MiB", "Bytes of answers kept ready by each worker."),
  nsid: key(v.nullable(text), null, "This server's name, for those who ask for it (NSID)."),
  chaos: v.optional(chaos, {}),
  query_log: key(v.nullable(queryLog), null, "Questions and what they were answered."),
  dnstap: key(v.nullable(tap), null, "The same, whole, for collectors of dnstap."),
});

const ns = v.pipe(
  keys,
  v.rawCheck(({ addIssue, dataset }) => {
    if (!dataset.typed) return;
    const { value } = dataset;
    const known = new Set(Object.keys(value.keys).map(canonical));
    for (const [name, one] of Object.entries(value.zones)) {
      if ((one.file === undefined) === (one.primaries.length === 0))
        addIssue({
          message: "expected `file` or `primaries`, one of them",
          path: pathTo(value, ["zones", name]),
        });
      if (one.dnssec === "online" && one.transfer.length > 0)
        addIssue({
          message: "a zone whose signatures are made as it is asked cannot be transferred",
          path: pathTo(value, ["zones", name, "transfer"]),
        });
      if (one.dnssec === "online" && one.file === undefined)
        addIssue({
          message: "only a zone with a `file` is signed here",
          path: pathTo(value, ["zones", name, "dnssec"]),
        });
      if (one.primaries_tls !== null && one.primaries.length === 0)
        addIssue({
          message: "only a zone with `primaries` is fetched",
          path: pathTo(value, ["zones", name, "primaries_tls"]),
        });
      if (one.transfer_over === "tls" && value.tls === null)
        addIssue({
          message: "there is no `tls` to transfer over",
          path: pathTo(value, ["zones", name, "transfer_over"]),
        });
      if (one.tsig === null || known.has(canonical(one.tsig))) continue;
      addIssue({
        message: `"${one.tsig}" is no key of \`keys\``,
        path: pathTo(value, ["zones", name, "tsig"]),
      });
    }
  }),
);

/** The whole section. */
export const dnsSchema = v.record(v.string(), ns);
export type DnsConfig = v.InferOutput<typeof dnsSchema>;
/** One server. Durations are milliseconds, sizes bytes. */
export type NsConfig = v.InferOutput<typeof ns>;

/** A name as it is compared: without its last dot, in lower case. */
export function canonical(name: string): string {
  return name.replace(/\.$/, "").toLowerCase();
}

/** Where an issue is, as valibot wants it told. */
function pathTo(input: unknown, keysTo: readonly (string | number)[]) {
  let at = input;
  return keysTo.map((step) => {
    const item = { type: "unknown" as const, origin: "value" as const, input: at, key: step };
    const value: unknown = Reflect.get(Object(at), step);
    at = value;
    return { ...item, value };
  }) as [v.IssuePathItem, ...v.IssuePathItem[]];
}
