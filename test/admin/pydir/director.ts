import * as v from "valibot";

import { adminApp } from "../../../src/admin/app.ts";
import type { Changed, How, Shown } from "../../../src/admin/deps.ts";
import { losesLastUser } from "../../../src/admin/last-user.ts";
import { check } from "../../../src/admin/run-action.ts";
import { LATER, SECTIONS, SERVICES } from "../../../src/app/services.ts";
import { type Edit, edit, type Written, written } from "../../../src/config/edit.ts";
import { load } from "../../../src/config/load.ts";
import { ConfigError } from "../../../src/config/problem.ts";
import type { Change } from "../../../src/services/service.ts";
import { basic, fakeDeps } from "../fake-deps.ts";

/** Both hash the word "secret": by DES and by MD5, as pythondirector's files have them. */
export const HASH = "iya2/im3qjwhU";
const GUEST = "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1";

export const CONFIG = `
admin:
  listen: 127.0.0.1:9900
  users:
    - { name: root, password: ${HASH}, access: full }
    - { name: guest, password: "${GUEST}", access: readonly }
pools:
  web-main:
    scheduler: leastconns
    hosts:
      - { name: two, address: 10.0.0.2:80 }
      - { name: one, address: 10.0.0.1:80 }
      - 10.0.0.7-9:80
    checktime: 60s
  web-next: { scheduler: random, hosts: [{ name: five, address: 10.0.0.5:80 }] }
balance:
  web:
    listen: [":8000", "127.0.0.1:8001"]
    groups: { main: { pool: web-main }, next: { pool: web-next } }
    enable: main
`;

/** What a host is like, beside what stands in the config. */
export interface Host {
  readonly state?: string;
  readonly why?: string;
  readonly open?: number;
}

/** An appliance whose config really changes, and whose hosts are as `hosts` says, by address. */
export function director(hosts: Readonly<Record<string, Host>> = {}, config = CONFIG) {
  let text = config;
  const read = (of: string) => load(of, { file: "t.yaml", sections: SECTIONS, later: LATER });
  const now = () => {
    const loaded = read(text);
    if (!loaded.ok) throw new ConfigError(loaded.problems);
    return loaded;
  };
  const amend = (edits: (config: Written) => readonly Edit[], how?: How): Changed => {
    let next: string;
    try {
      next = edit(text, edits(written(text)));
    } catch (error) {
      return { kind: "cannot", why: (error as Error).message };
    }
    const loaded = read(next);
    if (!loaded.ok) return { kind: "bad config", problems: loaded.problems };
    if (!how?.force && losesLastUser(now().root.admin.users, loaded.root.admin.users))
      return { kind: "last user" };
    text = next;
    return { kind: "done", changed: [], notes: [], generation: 1, unsaved: 1 };
  };
  const base = fakeDeps();
  const { done } = base;
  const { deps, clock } = fakeDeps({
    access: () => ({ ...now().root.admin, hosts: [] }),
    reopen: () => void done.push("reopen"),
    stop: () => void done.push("stop"),
    config: {
      ...base.deps.config,
      written: () => written(text),
      filed: () => written(config),
      edit: async (what, who, edits, how) => {
        done.push(`${who}: ${what}`);
        return amend(edits, how);
      },
      save: async (who) => {
        done.push(`${who} saves`);
        return { kind: "saved", file: "/etc/tern.yaml", notes: [] };
      },
    },
    services: () => [
      {
        name: "pools",
        about: "",
        levels: [],
        stats: () => poolStats(now().sections["pools"] as never, hosts),
        actions: {},
      },
    ],
    run: async (service, action, input) => {
      done.push(`${service} ${action} ${JSON.stringify(input)}`);
      return { kind: "done", value: {} };
    },
    change: async (service, name, input, who) => {
      done.push(`${who}: ${service} ${name} ${JSON.stringify(input)}`);
      const of = SERVICES.find((one) => one.name === service);
      const change = of?.changes?.[name] as Change<unknown>;
      const checked = check(change.input as v.GenericSchema<unknown>, input);
      if (checked.kind === "refused") return checked;
      return amend((config) => change.edits(checked.value, config));
    },
  });
  const app = adminApp(deps);
  const ask = (path: string, user?: "root" | "guest", init: RequestInit = {}) =>
    app.request(
      `http://127.0.0.1:9900/pydir/${path}`,
      {
        ...init,
        headers: {
          Host: "127.0.0.1:9900",
          ...(user && { Authorization: basic(user, "secret") }),
          ...(init.headers as Record<string, string>),
        },
      },
      {
        listener: { kind: "tcp", host: "127.0.0.1", port: 9900 },
        client: "10.9.9.9",
        secure: false,
      },
    );
  return { app, ask, done, clock, text: () => text };
}

type Pools = Readonly<
  Record<
    string,
    {
      scheduler: string;
      hosts: readonly { label: string; state: string; place: { host: string; port: number } }[];
    }
  >
>;

function poolStats(pools: Pools, hosts: Readonly<Record<string, Host>>): Shown {
  return Object.fromEntries(
    Object.entries(pools).map(([name, pool]) => [
      name,
      {
        scheduler: pool.scheduler,
        hosts: Object.fromEntries(
          pool.hosts.map(({ label, state: set, place }) => {
            const address = `${place.host}:${place.port}`;
            const { state = "up", why = "", open = 0 } = hosts[address] ?? {};
            const ejected = state === "ejected" ? 1 : 0;
            const since = "2026-01-01T00:00:00.000Z";
            return [label, { address, set, state, why, open, ejected, total: 9, since }];
          }),
        ),
      },
    ]),
  );
}
