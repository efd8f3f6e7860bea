import * as v from "valibot";

import { actionForms } from "../../src/admin/action-forms.ts";
import type {
  BalanceStats,
  HostStats,
  PoolStats,
} from "../../src/admin/console/page/state/answers.ts";
import type { FileDiff, ToldProblem } from "../../src/admin/deps.ts";
import { configDiff } from "../../src/config/config-diff.ts";
import type { Level, LogFields } from "../../src/observe/log.ts";
import { changes as balanceChanges } from "../../src/services/balance/changes.ts";
import { changes as poolChanges } from "../../src/services/pools/changes.ts";

const words = (about: string): v.GenericSchema<unknown, string> =>
  v.pipe(v.string(), v.description(about));
const CONFIG = `# The edge of example.net
workers: 2
user: tern # dropped to after binding

admin:
  listen: 127.0.0.1:9900
  users:
    - { name: ann, password: "***", access: full }
    - { name: bob, password: "***", access: readonly }

pools:
  app:
    scheduler: leastconnsrr
    hosts:
      - { name: web-1, address: "10.0.0.1:8080" }
      - { name: web-2, address: "10.0.0.2:8080", weight: 2 }
      - 10.0.0.3:8080
      - { address: "10.0.0.9:8080", backup: true }
  app-next:
    hosts: [10.0.1.1:8080, 10.0.1.2:8080]

balance:
  shop:
    listen: ":443"
    enabled: main
    groups:
      main: { pool: app }
      upgrade: { pool: app-next }

web:
  site:
    listen: ":8080"
    root: ./www
    charset: utf-8
`;

const RUNNING = CONFIG.replace(
  "hosts: [10.0.1.1:8080, 10.0.1.2:8080]",
  'hosts:\n      - 10.0.1.1:8080\n      - { address: "10.0.1.2:8080", state: drain }',
);

/** The text that runs and the file, as the supervisor keeps them. */
class Text {
  generation = 14;
  running = RUNNING;
  #file = CONFIG;
  #changes = [{ at: Date.now() - 60_000, who: "ann", what: "pools state: 10.0.1.2:8080 to drain" }];

  get unsaved(): number {
    return this.#changes.length;
  }
  put(text: string, what: string, who: string): void {
    this.running = text;
    this.generation++;
    this.#changes.push({ at: Date.now(), who, what });
  }
  save(): void {
    this.#file = this.running;
    this.#changes = [];
  }
  diff(): FileDiff {
    const names = ["tern.yaml", "running"] as const;
    const file = "/etc/tern/tern.yaml";
    return {
      ...configDiff(this.#file, this.running, names),
      file,
      changedOnDisk: false,
      unsaved: this.#changes,
    };
  }
}

function event(agoMs: number, level: Level, message: string, fields: LogFields) {
  return { at: Date.now() - agoMs, level, message, fields };
}

function session(i: number) {
  return {
    id: i + 1,
    service: "shop",
    client: `192.0.2.${i + 7}:${40_000 + i}`,
    pool: "app",
    server: `web-${(i % 2) + 1}`,
    step: "relaying",
    age: 4.2 * (i + 1),
    up: 2100 * i,
    down: 34_000 * i,
    relay: "splice",
  };
}

export type Model = ReturnType<typeof model>;

/** A made-up appliance whose figures move, the same way every time. */
export function model() {
  const started = Date.now() - 3.4 * 86_400_000;
  let seconds = 0;
  let seed = 7;
  const dice = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const host = (address: string, more: Partial<HostStats> = {}): HostStats => ({
    address,
    state: "up",
    set: "ready",
    why: "",
    since: new Date(started).toISOString(),
    weight: "1",
    backup: "no",
    open: 0,
    total: 0,
    failed: 0,
    connects: 0,
    connect_ms: 0,
    up_bytes: 0,
    down_bytes: 0,
    ejections: 0,
    ...more,
  });
  type Changing<T> = { -readonly [K in keyof T]: T[K] };
  type ChangingPool = Changing<Omit<PoolStats, "hosts">> & {
    hosts: Record<string, Changing<HostStats>>;
  };
  const pools: Record<string, ChangingPool> = {
    app: {
      scheduler: "leastconnsrr",
      sticky: "off",
      queued: 0,
      hosts: {
        "web-1": host("10.0.0.1:8080", {
          total: 812_331,
          connects: 812_300,
          connect_ms: 812_300 * 0.8,
        }),
        "web-2": host("10.0.0.2:8080", {
          weight: "2",
          total: 1_604_112,
          connects: 1_604_100,
          connect_ms: 1_604_100 * 1.1,
        }),
        "10.0.0.3:8080": host("10.0.0.3:8080", {
          state: "down",
          why: "tcp: connection refused",
          since: new Date(Date.now() - 190_000).toISOString(),
          failed: 41,
        }),
        "10.0.0.9:8080": host("10.0.0.9:8080", { backup: "yes" }),
      },
    },
    "app-next": {
      scheduler: "roundrobin",
      sticky: "ip",
      queued: 0,
      hosts: {
        "10.0.1.1:8080": host("10.0.1.1:8080"),
        "10.0.1.2:8080": host("10.0.1.2:8080", { set: "drain" }),
      },
    },
  };
  const balance: Record<string, Changing<BalanceStats>> = {
    shop: {
      listen: "0.0.0.0:443",
      enabled: "main",
      groups: "main,upgrade",
      pools: "main=app,upgrade=app-next",
      tls: "off",
      open: 0,
      accepted: 2_416_443,
      refused: 3,
      rejected_by_access: 120,
      failed: 12,
      up_bytes: 9e9,
      down_bytes: 84e9,
      relay: { splice: 2_416_000, sockmap: 0, copy: 443 },
    },
  };
  const web: Record<string, unknown> = {
    site: { requests: 88_231, "304": 22_001, not_found: 412, bytes: 7.2e9 },
    "<b>bold</b>": { requests: 3, "304": 0, not_found: 3, bytes: 512 },
  };
  const dns = {
    queries: 4_120_331,
    answers: 4_119_900,
    dropped: 431,
    cache: { names: 900 },
    zones: {
      "example.net": { records: 41, serial: 2026010203, queries: 220_331, state: "good" },
      "example.org": { records: 12, serial: 7, queries: 1_331, state: "good" },
    },
  };
  const past = [
    event(4_000_000, "info", "serving", { workers: 2, generation: 1 }),
    event(3_600_000, "info", "login", { user: "ann", client: "192.0.2.7" }),
    event(3_500_000, "info", "reloaded", { who: "ann", changed: ["web"], ms: 18 }),
    event(900_000, "warn", "reload refused", { who: "ann", problems: 2, path: "web.site.rooot" }),
    event(190_000, "error", "a server is down", {
      pool: "app",
      server: "10.0.0.3:8080",
      why: "tcp: connection refused",
    }),
    event(60_000, "info", "changed", { who: "ann", what: "pools state: 10.0.1.2:8080 to drain" }),
    event(30_000, "info", "login refused", { client: "198.51.100.20", waits: false }),
  ];
  const text = new Text();

  const tick = (): void => {
    seconds++;
    const wave = 1 + Math.sin(seconds / 9) / 3;
    for (const pool of Object.values(pools)) {
      const servers = Object.values(pool.hosts);
      const busy = servers.filter(
        (s) => s.state === "up" && s.set === "ready" && s.backup === "no",
      );
      for (const s of servers) {
        const takes = busy.includes(s) && pool === pools["app"];
        const made = takes ? Math.round(40 * wave * Number(s.weight) * (0.8 + dice() * 0.4)) : 0;
        s.connects += made;
        s.total += made;
        s.connect_ms += made * (0.7 + dice() * 0.5 + (seconds % 40 < 4 ? 1.5 : 0));
        s.open = takes ? Math.round(made * 2.2 + dice() * 9) : Math.floor(s.open / 2);
        s.up_bytes += made * 2100;
        s.down_bytes += made * 34_000;
        if (s.state === "down" && seconds % 5 === 0) s.failed++;
      }
    }
    const servers = Object.values(pools["app"]?.hosts ?? {});
    for (const s of Object.values(balance)) {
      s.open = servers.reduce((sum, h) => sum + h.open, 0);
      s.accepted += Math.round(120 * wave);
      s.up_bytes += Math.round(260_000 * wave);
      s.down_bytes += Math.round(4_100_000 * wave);
      if (seconds % 23 === 0) s.failed++;
    }
    (web["site"] as { requests: number; bytes: number }).requests += Math.round(
      400 * wave * dice(),
    );
    dns.queries += Math.round(2000 * wave);
    dns.cache.names = Math.round(900 * wave);
    dns.answers += Math.round(2000 * wave) - 1;
  };
  for (let n = 0; n < 3; n++) tick();

  const named = (pool: string, name: string): Changing<HostStats> => {
    const found = pools[pool]?.hosts[name];
    if (!found) throw new Error(`there is no host ${name} in pool ${pool}`);
    return found;
  };

  const shown = { pools, balance, web, dns };
  return {
    tick,
    pools,
    balance,
    web,
    past: () => past,
    text,
    check: problemsOf,
    services: () =>
      [
        {
          name: "pools",
          about: "groups of servers: schedulers, health, live changes",
          actions: forms({ retry: ["pool", "host?"] }),
        },
        {
          name: "balance",
          about: "TCP and UDP, to one group of servers each",
          actions: forms({ sessions: ["service?"], kill: ["service", "id"] }),
        },
        { name: "web", about: "static files and WebDAV", actions: forms({ purge: ["path?"] }) },
        {
          name: "dns",
          about: "zones and computed names",
          actions: forms({ reload: ["zone?"], state: ["name?"] }),
        },
      ].map((one) => ({
        ...one,
        levels: ["cache.names"],
        stats: () => shown[one.name as keyof typeof shown],
      })),
    changes: () => ({ pools: actionForms(poolChanges), balance: actionForms(balanceChanges) }),
    ask: (service: string, name: string, input: Readonly<Record<string, string>>): unknown => {
      const { pool = "", host: server = "" } = input;
      switch (`${service} ${name}`) {
        case "pools state":
          named(pool, server).set = input["to"] ?? "";
          return null;
        case "pools weight":
          named(pool, server).weight = String(input["weight"]);
          return null;
        case "pools scheduler":
          if (pools[pool]) pools[pool].scheduler = input["scheduler"] ?? "";
          return null;
        case "pools remove-host":
          delete pools[pool]?.hosts[server];
          return null;
        case "pools add-host":
          if (pools[pool])
            pools[pool].hosts[input["name"] ?? input["address"] ?? ""] = host(
              input["address"] ?? "",
              { state: "unknown" },
            );
          return null;
        case "balance enable":
          if (balance[input["service"] ?? ""])
            (balance[input["service"] ?? ""] as { enabled: string }).enabled = input["group"] ?? "";
          return null;
        case "balance sessions":
          return { sessions: Array.from({ length: 6 }, (_, i) => session(i)) };
        case "dns state":
          return [{ name: "www.example.net", state: "up", answers: ["192.0.2.1", "192.0.2.2"] }];
        case "web purge":
          throw new Error("purge: EIO");
        default:
          return { done: true };
      }
    },
    figures: () => ({
      at: Date.now(),
      status: {
        version: "0.1.0",
        pid: 4711,
        state: "serving",
        config: "/etc/tern/tern.yaml",
        generation: text.generation,
        unsaved: text.unsaved,
        startedAt: started,
        user: "tern",
        admin: ["127.0.0.1:9900"],
        lastReload: {
          at: Date.now() - 3_500_000,
          ok: true,
          tookMs: 18,
          changed: ["web", "pools"],
          notes: [],
          problems: [],
        },
        workers: [0, 1].map((index) => ({
          index,
          pid: 4712 + index,
          state: "serving",
          uptimeMs: Date.now() - started,
          restarts: index,
          ...(index === 1 && { lastDeath: "signal SIGKILL" }),
          rssBytes: (61 + index * 3) * 1024 * 1024,
          lagMs: 0,
          connections: Math.round(30 + 10 * Math.sin(seconds / 7 + index)),
          requests: Math.round((web["site"] as { requests: number }).requests / 2),
          services: ["pools", "balance", "web", "dns"],
          listeners: [],
        })),
        listeners: [
          {
            address: "0.0.0.0:443",
            port: 443,
            sites: ["balance shop"],
            workers: [0, 1],
            connections: 241,
            requests: 0,
          },
          {
            address: "0.0.0.0:8080",
            port: 8080,
            sites: ["site", "<b>bold</b>"],
            workers: [0, 1],
            connections: 61,
            requests: (web["site"] as { requests: number }).requests,
          },
        ],
        certificates: [
          {
            names: ["example.net", "www.example.net"],
            from: "acme",
            expires: Date.now() + 61 * 86_400_000,
          },
          { names: ["old.example.net"], from: "file", expires: Date.now() + 6 * 86_400_000 },
        ],
      },
      services: shown,
      totals: {},
    }),
  };
}

function forms(asked: Readonly<Record<string, readonly string[]>>): ReturnType<typeof actionForms> {
  return actionForms(
    Object.fromEntries(
      Object.entries(asked).map(([name, fields]) => [
        name,
        {
          about: `${name.replaceAll("-", " ")}, at once and in all workers`,
          input: v.strictObject(
            Object.fromEntries(
              fields.map((f) => [
                f.replace("?", ""),
                f.endsWith("?") ? v.optional(words(`The ${f.slice(0, -1)}.`)) : words(`The ${f}.`),
              ]),
            ),
          ),
          run: async () => null,
        },
      ]),
    ),
  );
}

/** The one mistake this appliance knows: a key spelled wrong. */
function problemsOf(text: string): ToldProblem[] {
  return text.split("\n").flatMap((line, i) => {
    const at = line.indexOf("rooot:");
    return at < 0
      ? []
      : [
          {
            file: "tern.yaml",
            line: i + 1,
            column: at + 1,
            path: "web.site",
            message: 'unknown key "rooot"; did you mean "root"?',
          },
        ];
  });
}
