/** `pools:`, servers that do the same work, by the names that other sections call them by. */
import * as v from "valibot";

import { check } from "../../config/check.ts";
import { key, maybe, pathTo } from "../../config/key.ts";
import { count, duration } from "../../config/quantities.ts";
import { oneOrMany, scalar } from "../../config/scalar.ts";
import { SCHEDULERS } from "../../core/schedulers/schedulers.ts";
import { ADMIN_STATES, type HostPlan, type PoolPlan } from "../../net/pools/plan.ts";
import { MAX_HOSTS, type Placed, places } from "./host-words.ts";

/** Shares are relative: nobody needs finer ones. */
export const MAX_WEIGHT = 1000;
const MAX_NAME = 100;
const MAX_STICKY = 10_000_000;

/** What is out after one failure is tried again so late, as pythondirector had it. */
const CHECKTIME = "120s";
/** With probes, one failure is no proof. */
const EJECT = { errors: 5, for: 10_000 };

const bool: v.GenericSchema<unknown, boolean> = v.boolean();

/** Of a pool or a host. */
export const poolName = v.pipe(
  v.string(),
  v.nonEmpty(),
  v.maxLength(MAX_NAME),
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  v.regex(/^[^\u0000-\u001f\u007f]+$/, "expected a name without control characters"),
);

const hostKeys = {
  name: maybe(poolName, "What it is called; its address when absent."),
  weight: key(v.pipe(count(), v.maxValue(MAX_WEIGHT)), 1, "Its share; 0: no new clients."),
  backup: key(bool, false, "Used only while no other host is eligible."),
  slow_start: key(duration, 0, "After coming back its share grows for so long."),
  max_connections: key(count(), 0, "Over all workers together; 0: as many as come."),
  state: key(v.picklist(ADMIN_STATES), "ready", "drain: no new clients; down: none at all."),
};

const PLAIN = {
  weight: 1,
  backup: false,
  slowStart: 0,
  maxConnections: 0,
  state: "ready",
} as const;

const host = v.union([
  v.pipe(
    places,
    v.transform((all): HostPlan[] => all.map((one) => ({ ...one, ...PLAIN }))),
  ),
  v.pipe(
    v.strictObject({
      ...hostKeys,
      address: v.pipe(places, v.description("Where it is; a range is several hosts.")),
    }),
    v.transform(({ address, ...keys }): HostPlan[] => address.map((one) => hostPlan(one, keys))),
  ),
]);

interface HostKeys {
  readonly name?: string | undefined;
  readonly weight: number;
  readonly backup: boolean;
  readonly slow_start: number;
  readonly max_connections: number;
  readonly state: HostPlan["state"];
}

function hostPlan({ label, place }: Placed, keys: HostKeys): HostPlan {
  const { name = label, weight, backup, state } = keys;
  const { slow_start: slowStart, max_connections: maxConnections } = keys;
  return { label: name, place, weight, backup, slowStart, maxConnections, state };
}

const hosts = v.pipe(
  v.array(host),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const seen = new Set<string>();
    for (const [i, plans] of dataset.value.entries()) {
      const complain = (message: string): void =>
        addIssue({ message, path: pathTo(dataset.value, i) });
      const labels = new Set(plans.map(({ label }) => label));
      if (labels.size < plans.length) {
        complain(`a name is for one host, and the range has ${plans.length}`);
        continue;
      }
      for (const { label, place } of plans)
        for (const word of new Set([label, wordOf(place)])) {
          if (seen.has(word)) complain(`${JSON.stringify(word)} is there twice`);
          seen.add(word);
        }
    }
  }),
  v.transform((all): readonly HostPlan[] => all.flat()),
  v.check((all) => all.length <= MAX_HOSTS, `expected at most ${MAX_HOSTS} hosts`),
);

/** What a place is written as. */
function wordOf(place: HostPlan["place"]): string {
  if (place.kind === "srv") return `srv:${place.name}`;
  if (place.kind === "name") return `${place.name}:${place.port}`;
  return place.host.includes(":") ? `[${place.host}]:${place.port}` : `${place.host}:${place.port}`;
}

const cause = scalar('connect, timeout or a status such as "502"', (text) =>
  /^(?:connect|timeout|[45]\d\d)$/.test(text) ? text : undefined,
);

const pool = v.pipe(
  v.strictObject({
    scheduler: key(v.picklist(SCHEDULERS), "roundrobin", "How a host is chosen for a client."),
    sticky: key(
      v.picklist(["off", "ip", "cookie"]),
      "off",
      "Clients stay with their host: by their address, or by a cookie (proxy).",
    ),
    sticky_table: key(
      v.strictObject({
        size: key(
          v.pipe(count(1), v.maxValue(MAX_STICKY)),
          100_000,
          "Clients remembered by each worker.",
        ),
        expire: key(duration, "30m", "Forgotten so long after its last connection."),
      }),
      {},
      "Of clients that stick.",
    ),
    hosts: key(hosts, [], "Servers: addresses, ranges, names, or maps with more to say."),
    check: key(v.nullable(check), null, "How it is found out who is alive."),
    retry: key(
      v.strictObject({
        attempts: key(
          v.union([v.literal("all"), count()]),
          "all",
          "How many more hosts are asked after the first.",
        ),
        on: key(oneOrMany<string>(cause), ["connect", "timeout"], "What makes it ask the next."),
      }),
      {},
      "When a host cannot be reached.",
    ),
    eject: maybe(
      v.strictObject({
        errors: key(count(1), 5, "Failures in a row."),
        for: key(duration, "10s", "Out for so long, then back by itself."),
      }),
      "Who fails is out; without a check, one failure is enough, for checktime.",
    ),
    checktime: key(duration, CHECKTIME, "Without check and eject: when a failed host is back."),
    queue: key(
      v.strictObject({
        timeout: key(duration, "5s", "Longest wait."),
        size: key(count(), 1000, "Clients that may wait, over all workers together."),
      }),
      {},
      "For clients that find every host full.",
    ),
  }),
  v.transform(
    ({ sticky_table: stickyTable, checktime, eject, ...rest }): Omit<PoolPlan, "name"> => ({
      ...rest,
      stickyTable,
      eject: eject ?? (rest.check === null ? { errors: 1, for: checktime } : EJECT),
    }),
  ),
);

/** The whole section. */
export const poolsSchema = v.pipe(
  v.record(poolName, pool),
  v.transform((all): PoolsConfig =>
    Object.fromEntries(Object.entries(all).map(([name, one]) => [name, { name, ...one }])),
  ),
);

/** Every pool, by name. */
export type PoolsConfig = Readonly<Record<string, PoolPlan>>;
