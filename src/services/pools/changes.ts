/** What an operator may change of the pools while they run: each is an edit of the config. */
import * as v from "valibot";

import type { Edit, Plain, Written } from "../../config/edit.ts";
import { count } from "../../config/quantities.ts";
import { SCHEDULERS } from "../../core/schedulers/schedulers.ts";
import { closest } from "../../core/suggest.ts";
import { parseDuration } from "../../core/units.ts";
import { ADMIN_STATES } from "../../net/pools/plan.ts";
import type { Change } from "../service.ts";
import { MAX_WEIGHT, poolName } from "./config.ts";
import { HostList } from "./host-list.ts";
import { placesIn } from "./host-words.ts";

const pool = v.pipe(v.string(), v.description("The pool's name."));
const host = v.pipe(v.string(), v.description("A host's name or address."));
const weight = v.pipe(
  count(),
  v.maxValue(MAX_WEIGHT),
  v.description("Its share; 0: no new clients."),
);
const scheduler = v.pipe(v.picklist(SCHEDULERS), v.description("How a host is chosen."));
const state = v.picklist(ADMIN_STATES);
const bool: v.GenericSchema<unknown, boolean> = v.boolean();

const address = v.pipe(
  v.string(),
  v.check(
    (text) => Array.isArray(placesIn(text)),
    'expected a host such as "10.0.0.1:80", "10.0.0.1-10:80", "name.example:80" or "srv:_http._tcp.example.net"',
  ),
  v.description("Where it is; a range is several hosts."),
);
/** As it will be written. */
const span = v.pipe(
  v.string(),
  v.check((text) => parseDuration(text) !== undefined, 'expected a duration such as "30s"'),
);

const addHost: Change<AddHost> = {
  about: "add a host to a pool",
  input: v.strictObject({
    pool,
    address,
    name: v.optional(poolName),
    weight: v.optional(weight),
    backup: v.optional(bool),
    slow_start: v.optional(span),
    max_connections: v.optional(count()),
    state: v.optional(state),
  }),
  edits({ pool: name, ...host }, config) {
    const list = hostsOf(name, config);
    const places = placesIn(host.address);
    const words = Array.isArray(places) ? places.map(({ label }) => label) : [];
    for (const word of host.name === undefined ? words : [host.name, ...words])
      if (list.has(word))
        throw new Error(`pool ${name} has a host ${JSON.stringify(word)} already`);
    if (host.name !== undefined && words.length > 1)
      throw new Error(`a name is for one host, and ${host.address} are ${words.length}`);
    const { address, ...more } = said(host);
    const value: Plain = Object.keys(more).length === 0 ? (address as Plain) : said(host);
    return [{ kind: "append", path: ["pools", name, "hosts"], value }];
  },
};

interface AddHost {
  readonly pool: string;
  readonly address: string;
  readonly name?: string | undefined;
  readonly weight?: number | undefined;
  readonly backup?: boolean | undefined;
  readonly slow_start?: string | undefined;
  readonly max_connections?: number | undefined;
  readonly state?: (typeof ADMIN_STATES)[number] | undefined;
}

const removeHost: Change<{ pool: string; host: string; force?: boolean | undefined }> = {
  about: "remove a host from a pool; its connections end by themselves",
  input: v.strictObject({
    pool,
    host,
    force: v.optional(v.pipe(bool, v.description("Even when no other host takes clients."))),
  }),
  edits({ pool, host, force = false }, config) {
    const list = hostsOf(pool, config);
    const found = list.find(host);
    if (!force && list.readyWithout(found) === 0)
      throw new Error(
        `${host} is the last host of pool ${pool} that takes clients: use force to remove it`,
      );
    return setHosts(pool, list.without(found));
  },
};

const removeAllHosts: Change<{ pool: string }> = {
  about: "remove every host of a pool; their connections end by themselves",
  input: v.strictObject({ pool }),
  edits({ pool }, config) {
    hostsOf(pool, config);
    return setHosts(pool, []);
  },
};

const setState: Change<{ pool: string; host: string; to: (typeof ADMIN_STATES)[number] }> = {
  about: "let a host take clients, drain it, or take it down",
  input: v.strictObject({
    pool,
    host,
    to: v.pipe(state, v.description("drain: no new clients; down: none at all.")),
  }),
  edits({ pool, host, to }, config) {
    const list = hostsOf(pool, config);
    const found = list.find(host);
    return setHosts(pool, list.with(found, { state: to === "ready" ? undefined : to }));
  },
};

const setWeight: Change<{ pool: string; host: string; weight: number }> = {
  about: "change a host's share",
  input: v.strictObject({ pool, host, weight }),
  edits({ pool, host, weight }, config) {
    const list = hostsOf(pool, config);
    return setHosts(
      pool,
      list.with(list.find(host), { weight: weight === 1 ? undefined : weight }),
    );
  },
};

const setScheduler: Change<{ pool: string; scheduler: (typeof SCHEDULERS)[number] }> = {
  about: "change how a pool's hosts are chosen",
  input: v.strictObject({ pool, scheduler }),
  edits({ pool, scheduler }, config) {
    hostsOf(pool, config);
    return [{ kind: "set", path: ["pools", pool, "scheduler"], value: scheduler }];
  },
};

const addPool: Change<{ pool: string; scheduler?: (typeof SCHEDULERS)[number] | undefined }> = {
  about: "make a pool, without hosts",
  input: v.strictObject({ pool: poolName, scheduler: v.optional(scheduler, "roundrobin") }),
  edits({ pool, scheduler = "roundrobin" }, config) {
    if (config.at(["pools", pool]) !== undefined)
      throw new Error(`there is a pool ${pool} already`);
    return [{ kind: "set", path: ["pools", pool], value: { scheduler, hosts: [] } }];
  },
};

const removePool: Change<{ pool: string }> = {
  about: "remove a pool that nobody uses",
  input: v.strictObject({ pool }),
  edits({ pool }, config) {
    hostsOf(pool, config);
    return [{ kind: "remove", path: ["pools", pool] }];
  },
};

/** By the names that the admin API, the CLI and the console have for them. */
export const changes = {
  "add-host": addHost,
  "remove-host": removeHost,
  "remove-all-hosts": removeAllHosts,
  state: setState,
  weight: setWeight,
  scheduler: setScheduler,
  "add-pool": addPool,
  "remove-pool": removePool,
} as const;

/** Throws Error when there is no such pool. */
function hostsOf(pool: string, config: Written): HostList {
  if (config.at(["pools", pool]) !== undefined)
    return new HostList(pool, config.at(["pools", pool, "hosts"]));
  const names = Object.keys(config.at(["pools"]) ?? {});
  const asked = `there is no pool ${JSON.stringify(pool)}`;
  if (names.length === 0) throw new Error(`${asked}; there are none`);
  const meant = closest(pool, names);
  throw new Error(
    `${asked}; there ${names.length === 1 ? "is" : "are"} ${names.join(", ")}` +
      (meant === undefined ? "" : `; did you mean ${JSON.stringify(meant)}?`),
  );
}

function setHosts(pool: string, value: Plain[]): Edit[] {
  return [{ kind: "set", path: ["pools", pool, "hosts"], value }];
}

function said(keys: Readonly<Record<string, Plain | undefined>>): Record<string, Plain> {
  return Object.fromEntries(
    Object.entries(keys).filter((entry): entry is [string, Plain] => entry[1] !== undefined),
  );
}
