import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { perPair } from "./balance-idle.ts";
import { backend } from "./balance-servers.ts";
import {
  type Figures,
  latency,
  measure,
  type Row,
  type RowReport,
  show,
  sides,
} from "./compare.ts";
import { machine } from "./machine.ts";
import { CACHE_ROWS } from "./proxy-cache.ts";
import { askForAll, nginxCache, ternCache, varnish, VARNISHD } from "./proxy-caches.ts";
import { haproxyHttp, nginxProxy, ternProxy } from "./proxy-servers.ts";
import { resident, type Server } from "./server.ts";
import { build, type Options } from "./web.ts";

/** The bars are those of the project's fifth issue; each against the servers it names. */
const ROWS: readonly (Row & { readonly against: readonly string[] })[] = [
  {
    name: "nginx",
    says: "1 KB, keep-alive, 64 connections",
    path: "/1k.bin",
    connections: 64,
    counts: "requests",
    per: "request",
    bar: 1,
    against: ["nginx"],
  },
  {
    name: "haproxy",
    says: "1 KB, keep-alive, 64 connections",
    path: "/1k.bin",
    connections: 64,
    counts: "requests",
    per: "request",
    bar: 1.3,
    against: ["HAProxy"],
  },
  {
    name: "1m",
    says: "1 MB, bytes/s, 16 connections",
    path: "/1m.bin",
    connections: 16,
    counts: "bytes",
    per: "GB",
    bar: 1,
    against: ["nginx"],
  },
  {
    name: "10m",
    says: "10 MB, bytes/s, 16 connections",
    path: "/10m.bin",
    connections: 16,
    counts: "bytes",
    per: "GB",
    bar: 1,
    against: ["nginx"],
  },
];
/** From the caches. */
const HITS: readonly (Row & {
  readonly kind: "memory" | "disk";
  readonly against: readonly string[];
})[] = [
  { ...hit("hit", "1 KB from memory, 64 connections", 1.3), kind: "memory", against: ["nginx"] },
  {
    ...hit("varnish", "1 KB from memory, 64 connections", 1.2),
    kind: "memory",
    against: ["Varnish"],
  },
  {
    ...hit("disk", "5000 × 1 KB from disk, 64 connections", 1),
    objects: 5000,
    kind: "disk",
    against: ["nginx"],
  },
];
const LATENCY = "latency";
const IDLE = "idle";
/** Most bytes of RSS that an idle client may cost. */
const IDLE_BAR = 12 * 1024;

/** nginx, HAProxy, Varnish and tern in front of one nginx, one core each for them and the load, in turns. */
export async function proxy(options: Options): Promise<RowReport[]> {
  const { say } = options;
  const names = [...[...ROWS, ...HITS].map((row) => row.name), LATENCY, IDLE].concat(
    Object.keys(CACHE_ROWS),
  );
  if (options.rows?.some((row) => !names.includes(row))) {
    say(`rows: ${names.join(" ")}\n`);
    return [];
  }
  const wanted = (name: string): boolean => options.rows?.includes(name) ?? true;
  const dir = await mkdtemp(join(tmpdir(), "tern-bench-"));
  try {
    const binary = options.tern ?? (await build());
    await makeFiles(dir);
    say(`${await machine()}\n${options.rounds} rounds of ${options.seconds} s\n\n`);
    await using behind = await backend(dir);
    const make = {
      nginx: () => nginxProxy(dir, behind.http),
      haproxy: () => haproxyHttp(dir, behind.http),
      tern: () => ternProxy(dir, binary, behind.http),
    };
    const reports: RowReport[] = [];
    if ([...ROWS.map(({ name }) => name), LATENCY].some(wanted)) {
      await using one = await make.nginx();
      await using two = await make.haproxy();
      await using ours = await make.tern();
      const all = [one, two, ours];
      for (const row of ROWS.filter(({ name }) => wanted(name))) {
        const servers = all.filter(({ name }) => name === "tern" || row.against.includes(name));
        reports.push(await measure(row, servers, dir, options));
      }
      if (wanted(LATENCY)) reports.push(await latency(all, behind, "nginx", dir, options));
    }
    for (const row of HITS.filter(({ name }) => wanted(name)))
      reports.push(...(await fromCache(row, dir, binary, behind.http, options)));
    // Each from its start: memory that was used once does not come back.
    if (wanted(IDLE)) reports.push(await idle([make.nginx, make.tern]));
    for (const [name, measured] of Object.entries(CACHE_ROWS))
      if (wanted(name)) reports.push(await measured(dir, binary));
    say(show(reports));
    return reports;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function hit(name: string, says: string, bar: number): Row {
  return { name, says, path: "/1k.bin", connections: 64, counts: "requests", per: "request", bar };
}

/** One row; none where who is compared with is not installed. */
async function fromCache(
  row: (typeof HITS)[number],
  dir: string,
  binary: string,
  to: number,
  options: Options,
): Promise<RowReport[]> {
  const rival = row.against.includes("Varnish") ? varnish : nginxCache;
  if (rival === varnish && VARNISHD === undefined) {
    options.say("no Varnish here: its row is left out\n");
    return [];
  }
  await using theirs = await rival(dir, to);
  await using ours = await ternCache(dir, binary, to, row.kind);
  for (const one of [theirs, ours]) await askForAll(one, row);
  return [await measure(row, [theirs, ours], dir, options)];
}

async function makeFiles(dir: string): Promise<void> {
  await mkdir(`${dir}/www`);
  for (const [name, bytes] of [
    ["1k", 1024],
    ["1m", 1024 * 1024],
    ["10m", 10 * 1024 * 1024],
  ] as const)
    await Bun.write(`${dir}/www/${name}.bin`, Buffer.alloc(bytes, "tern "));
}

async function idle(make: readonly (() => Promise<Server>)[]): Promise<RowReport> {
  const figures: Figures[] = [];
  for (const one of make) {
    await using server = await one();
    const figure = await perPair(server);
    const memory = await resident(server.pid);
    figures.push({ server: server.name, figure, cpu: NaN, core: NaN, memory, errors: 0 });
  }
  const { ours, others } = sides(figures);
  const ratio = ours.figure / Math.min(...others.map(({ figure }) => figure));
  const met = ours.figure <= IDLE_BAR;
  return { row: "bytes of RSS per idle client", per: "", figures, ratio, bar: "≤ 12 KiB", met };
}
