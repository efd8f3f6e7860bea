/** The `balance:` section: named services, each with its listeners and groups of servers. */
import * as v from "valibot";

import { key, pathTo } from "../../config/key.ts";
import {
  addressList,
  cidrList,
  count,
  duration,
  rate,
  socketOptions,
} from "../../config/scalars.ts";
import { parseIp } from "../../core/ip.ts";
import { RELAY_WAYS } from "../../net/tcp/relay-terms.ts";
import { misfit, tlsKeys } from "./tls/config.ts";
import { udpKeys } from "./udp/config.ts";

/** What a name of a service or a group may look like: it is spoken in paths and on the command line. */
export const name = v.pipe(
  v.string(),
  v.regex(/^[\w.-]{1,64}$/, "expected a name of letters, digits, `-`, `_` and `.`"),
);

const group = v.strictObject({
  pool: v.pipe(v.string(), v.description("The pool of `pools:` whose servers are used.")),
});

const limit = v.strictObject({
  connections: key(
    count(),
    0,
    "Open connections of one address, at all workers and nodes together; 0: any number.",
  ),
  rate: v.optional(
    v.pipe(
      v.nullable(rate),
      v.description("New connections of one address, at all workers and nodes together."),
    ),
    null,
  ),
  burst: key(count(1), 10, "How many of them may come at once."),
});

const sourceAddress: v.GenericSchema<unknown, string> = v.pipe(
  v.string(),
  v.check((text) => parseIp(text) !== undefined, 'expected an address such as "10.0.0.1"'),
);

/**
 * As everywhere, but for one thing: waiting for the client's first bytes (`defer_accept`) has to be
 * asked for here, since with many protocols it is the server that speaks first.
 */
const socket: typeof socketOptions = v.pipe(
  v.unknown(),
  v.transform((own) => (isMap(own) ? { defer_accept: 0, ...own } : own)),
  socketOptions,
);

const keys = v.strictObject({
  listen: v.pipe(addressList, v.description("Addresses to accept on.")),
  protocol: key(v.picklist(["tcp", "udp"]), "tcp", "What is balanced."),
  groups: v.pipe(v.record(name, group), v.description("Sets of servers; one of them is enabled.")),
  enable: key(
    v.nullable(v.string()),
    null,
    "The group that new connections go to; null: the first.",
  ),
  tls: key(
    v.picklist(["off", "terminate", "pass"]),
    "off",
    "off: bytes as they are. terminate: TLS ends here. pass: TLS goes through, servers are chosen by the name asked for.",
  ),
  ...tlsKeys,
  send_proxy: key(
    v.picklist(["off", "v1", "v2"]),
    "off",
    "Tell servers whose connection it is, by a PROXY header.",
  ),
  connect_timeout: key(duration, "5s", "Longest wait for one server; then the next is asked."),
  idle_timeout: key(duration, "10m", "A connection without a byte for so long ends; 0: never."),
  total_timeout: key(duration, 0, "Longest life of a connection; 0: as long as it wants."),
  allow: key(cidrList, [], "Who may connect; empty: everybody."),
  deny: key(cidrList, [], "Who may not, even if allowed."),
  limit: key(v.nullable(limit), null, "What one client may take."),
  accept_rate: key(
    v.nullable(rate),
    null,
    "New connections, at all workers together; more wait in the kernel's backlog.",
  ),
  max_connections: key(
    count(1),
    100_000,
    "Open connections, at all workers together; more wait in the backlog.",
  ),
  source: key(v.nullable(sourceAddress), null, "The address that servers are connected from."),
  udp: v.optional(udpKeys, {}),
  relay: key(
    v.picklist(RELAY_WAYS),
    "auto",
    "How bytes are moved; auto: what is best for each connection.",
  ),
  log: key(
    v.picklist(["off", "connections"]),
    "off",
    "connections: a line of the log for each, when it is over.",
  ),
  socket: v.optional(socket, {}),
});

const service = v.pipe(
  keys,
  v.rawCheck(({ addIssue, dataset }) => {
    if (!dataset.typed) return;
    const { value } = dataset;
    const groups = Object.keys(value.groups);
    if (groups.length === 0)
      addIssue({ message: "expected at least one group", path: pathTo(value, "groups") });
    else if (value.enable !== null && !groups.includes(value.enable))
      addIssue({
        message: `"${value.enable}" is no group of \`groups\`: ${groups.join(", ")}`,
        path: pathTo(value, "enable"),
      });
    const wrong = misfit(value);
    if (wrong !== undefined) addIssue({ message: wrong.message, path: pathTo(value, wrong.key) });
    for (const table of ["sni", "alpn_routes"] as const)
      for (const [asked, to] of Object.entries(value[table]))
        if (!groups.includes(to))
          addIssue({
            message: `"${to}" is no group of \`groups\`: ${groups.join(", ")}`,
            path: pathTo(value, table, asked),
          });
  }),
);

/** The whole section. */
export const balanceSchema = v.record(name, service);
export type BalanceConfig = v.InferOutput<typeof balanceSchema>;
/** One service. Durations are milliseconds. */
export type ServiceConfig = v.InferOutput<typeof service>;

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The group that new connections go to. */
export function enabledGroup({ enable, groups }: ServiceConfig): string {
  return enable ?? Object.keys(groups)[0] ?? "";
}
