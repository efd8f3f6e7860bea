import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "../../src/core/clock.ts";
import { silent } from "../../src/observe/log.ts";
import { Hints } from "../../src/services/store/hints/hints.ts";
import { DirMember } from "../../src/services/store/members/dir-member.ts";
import { Layout } from "../../src/services/store/names.ts";
import { PathLocks } from "../../src/services/store/path-locks.ts";
import type { StageRecord } from "../../src/services/store/placement/stage.ts";
import { Checksums, emitRecord } from "../../src/services/store/record.ts";
import { Repair } from "../../src/services/store/repair/repair.ts";
import { StandingFile } from "../../src/services/store/repair/standings.ts";
import { Seat } from "../../src/services/store/seat.ts";
import { Shelf } from "../../src/services/store/shelf.ts";
import { spent } from "./balance-cpu.ts";
import { type Figures, measure, type RowReport, show, sides } from "./compare.ts";
import { median } from "./figures.ts";
import { machine } from "./machine.ts";
import { resident, type Server } from "./server.ts";
import { extraMemory, pass, putRound } from "./store-load.ts";
import { nginxDav, nginxHop, ternStore } from "./store-servers.ts";
import { CONTAINER, hasSwift, swift } from "./swift.ts";
import { build, type Options } from "./web.ts";

const CONNECTIONS = 8;
/** Until code is compiled and partitions have their directories: a thousand files or so. */
const WARM_S = 8;
const SMALL = 4096;
const MIB = 2 ** 20;
/** PUT 4 KB of Swift 2.30 with three replicas, on a machine as this one (spec/store.md, 5), where it is not installed. */
const SWIFT_PUTS = 64;
const PASS_BAR = 64 * MIB;
const PASSED = 10e9;
const LOCATE_BAR_US = 2;
/** Files of the scrub, and how fast it is to read. */
const FILES = 100_000;
const SCRUB_RATE = 20 * MIB;

const ROWS: Readonly<Record<string, (bench: Bench) => Promise<RowReport[]>>> = {
  get,
  put,
  put3,
  big,
  pass: passThrough,
  locate: async () => [locate()],
  scrub,
};

interface Bench {
  readonly dir: string;
  readonly binary: string;
  readonly options: Options;
}

/** tern over three directories, against nginx dav, which keeps one copy and waits for no disk. */
export async function store(options: Options): Promise<RowReport[]> {
  const { say, rows } = options;
  if (rows?.some((row) => !Object.hasOwn(ROWS, row))) {
    say(`rows: ${Object.keys(ROWS).join(" ")}\n`);
    return [];
  }
  const dir = await mkdtemp(join(tmpdir(), "tern-bench-"));
  try {
    const wanted = Object.entries(ROWS).filter(([name]) => rows?.includes(name) ?? true);
    const needs = wanted.some(([name]) => name !== "locate" && name !== "scrub");
    const binary = options.tern ?? (needs ? await build() : "");
    say(`${await machine()}\n${options.rounds} rounds of ${options.seconds} s\n\n`);
    const reports: RowReport[] = [];
    for (const [, row] of wanted) reports.push(...(await row({ dir, binary, options })));
    say(show(reports));
    return reports;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function get({ dir, binary, options }: Bench): Promise<RowReport[]> {
  await using theirs = await nginxDav(dir);
  await using ours = await ternStore(dir, binary, "get", { copies: 3, quorum: 2, fsync: true });
  for (const { http } of [theirs, ours])
    await fetch(`http://127.0.0.1:${http}/small`, {
      method: "PUT",
      body: Buffer.alloc(SMALL, "x"),
    });
  const row = {
    name: "get",
    says: `GET 4 KB, of three copies, ${CONNECTIONS} connections`,
    path: "/small",
    connections: CONNECTIONS,
    counts: "requests",
    per: "request",
    bar: 0.8,
  } as const;
  return [await measure(row, [theirs, ours], dir, options)];
}

async function put({ dir, binary, options }: Bench): Promise<RowReport[]> {
  await using theirs = await nginxDav(dir);
  await using ours = await ternStore(dir, binary, "put", { copies: 2, quorum: 2, fsync: false });
  const says = "PUT 4 KB, two copies, no fsync, against one";
  const figures = await puts(dir, [theirs, ours], options);
  const ratio = sides(figures).ours.figure / (sides(figures).others[0]?.figure ?? NaN);
  return [{ row: says, per: "request", figures, ratio, bar: "≥ 0.4", met: ratio >= 0.4 }];
}

async function put3({ dir, binary, options }: Bench): Promise<RowReport[]> {
  await using begun = new AsyncDisposableStack();
  const theirs = hasSwift() ? begun.use(await swift(dir)) : undefined;
  const ours = begun.use(
    await ternStore(dir, binary, "put3", { copies: 3, quorum: 2, fsync: true }),
  );
  const figures = await puts(dir, theirs ? [theirs, ours] : [ours], options, (server) =>
    server === theirs ? CONTAINER : "",
  );
  const least = sides(figures).others[0]?.figure ?? SWIFT_PUTS;
  const ratio = sides(figures).ours.figure / least;
  const other = theirs ? "CPU of Swift: its proxy's" : `Swift, elsewhere: ${SWIFT_PUTS}`;
  const row = `PUT 4 KB, three copies, two acknowledged, fsync (${other})`;
  return [{ row, per: "request", figures, ratio, bar: "≥ 5.0", met: ratio >= 5 }];
}

/** Requests per second of each server, in turns. */
async function puts(
  dir: string,
  servers: readonly Server[],
  { rounds, seconds }: Options,
  baseOf: (server: Server) => string = () => "",
): Promise<Figures[]> {
  const measured = new Map<Server, { rate: number; cpu: number; core: number; errors: number }[]>();
  const wish = { bytes: SMALL, connections: CONNECTIONS };
  for (const server of servers)
    await putRound(dir, server.http, { ...wish, seconds: WARM_S, base: baseOf(server) });
  for (let i = 0; i < rounds; i++)
    for (const server of i % 2 === 0 ? servers : servers.toReversed()) {
      const before = await spent(server);
      const base = baseOf(server);
      const done = await putRound(dir, server.http, { ...wish, seconds, base });
      const after = await spent(server);
      const one = {
        rate: done.requests / done.seconds,
        cpu: (after.cpu - before.cpu) / done.requests,
        core: (after.core - before.core) / 1e6 / done.seconds,
        errors: done.errors,
      };
      measured.set(server, [...(measured.get(server) ?? []), one]);
    }
  return Promise.all(
    servers.map(async (server): Promise<Figures> => {
      const all = measured.get(server) ?? [];
      return {
        server: server.name,
        figure: median(all.map(({ rate }) => rate)),
        cpu: median(all.map(({ cpu }) => cpu)),
        core: median(all.map(({ core }) => core)),
        memory: await resident(server.pid),
        errors: all.reduce((sum, { errors }) => sum + errors, 0),
      };
    }),
  );
}

/** 64 MB to and from one nginx dav: directly, through tern, and through an nginx that only passes them on. */
async function big({ dir, binary, options }: Bench): Promise<RowReport[]> {
  await using theirs = await nginxDav(dir);
  const servers = [`http://127.0.0.1:${theirs.http}/`];
  await using ours = await ternStore(dir, binary, "big", {
    copies: 1,
    quorum: 1,
    fsync: false,
    servers,
  });
  await using hop = await nginxHop(dir, theirs.http);
  const all = [theirs, ours, hop];
  const file = `${dir}/64m`;
  await Bun.write(file, Buffer.alloc(64 * MIB, "tern "));
  const reports: RowReport[] = [];
  for (const direction of ["up", "down"] as const) {
    const speeds = new Map<Server, number[]>(all.map((server) => [server, []]));
    const cpus = new Map<Server, number[]>(all.map((server) => [server, []]));
    for (let i = 0; i <= options.rounds; i++)
      for (const server of i % 2 === 0 ? all : all.toReversed()) {
        const before = await spent(server);
        const speed = await pass(server.http, "/64m", direction, file);
        if (i === 0) continue; // warm
        speeds.get(server)?.push(speed);
        cpus.get(server)?.push(((await spent(server)).cpu - before.cpu) / ((64 * MIB) / 1e9));
      }
    const figures = await Promise.all(
      all.map(async (server): Promise<Figures> => ({
        server: server.name,
        figure: median(speeds.get(server) ?? []),
        cpu: median(cpus.get(server) ?? []),
        core: NaN,
        memory: await resident(server.pid),
        errors: 0,
      })),
    );
    const ratio = (figures[1]?.figure ?? NaN) / (figures[0]?.figure ?? NaN);
    const row = `${direction === "up" ? "PUT" : "GET"} 64 MB, bytes/s, through tern to that nginx`;
    reports.push({ row, per: "GB", figures, ratio, bar: "≥ 0.8", met: ratio >= 0.8 });
  }
  return reports;
}

/** 10 GB, up and down again, twice on the disk of this machine while it lasts. */
async function passThrough({ dir, binary }: Bench): Promise<RowReport[]> {
  const size = PASSED;
  await using ours = await ternStore(dir, binary, "pass", { copies: 2, quorum: 2, fsync: true });
  const file = `${dir}/passed`;
  await Bun.$`truncate -s ${size} ${file}`.quiet(); // a hole: to read it costs no disk
  const before = await spent(ours);
  const up = await extraMemory(ours.pid, () => pass(ours.http, "/passed", "up", file));
  const down = await extraMemory(ours.pid, () => pass(ours.http, "/passed", "down", file));
  const cpu = (((await spent(ours)).cpu - before.cpu) / (2 * size)) * 1e9;
  const memory = await resident(ours.pid);
  await rm(file);
  return [up, down].map((figure, i) => ({
    row: `extra RSS while ${(size / 1e9).toFixed(1)} GB ${i === 0 ? "come" : "go"}`,
    per: "GB",
    figures: [{ server: "tern", figure, cpu, core: NaN, memory, errors: 0 }],
    ratio: figure / PASS_BAR,
    bar: "≤ 64 MiB",
    met: figure <= PASS_BAR,
  }));
}

function stage(): StageRecord {
  const zones = ["one", "two", "three"];
  return {
    placement: "hrw-1",
    region: 256,
    redundancy: 3,
    slots: Array.from({ length: 6 }, (_, i) => ({
      id: `10.0.0.${i}:80`,
      weight: 1 + (i % 2),
      zone: zones[i % 3],
    })),
  };
}

/** Homes of a name among six members in three zones, in microseconds of CPU time. */
function locate(): RowReport {
  const record = stage();
  const none = {} as never; // members and all else are not asked
  const seats = record.slots.map(() => none);
  const shelf = new Shelf(0, record, 2, seats, none);
  const names = Array.from({ length: 10_000 }, (_, i) => {
    const path = `/photos/2026/${i}/image ${i}.jpg`;
    return { stage: 0, key: path, path };
  });
  const took: number[] = [];
  for (let round = 0; round < 20; round++) {
    const { user } = process.cpuUsage();
    for (const name of names) shelf.homes(name);
    took.push((process.cpuUsage().user - user) / names.length);
  }
  const figure = median(took.slice(5));
  const figures = [{ server: "tern", figure, cpu: figure, core: NaN, memory: NaN, errors: 0 }];
  const met = figure < LOCATE_BAR_US;
  return {
    row: "locating a name among six, µs",
    per: "name",
    figures,
    ratio: NaN,
    bar: "< 2 µs",
    met,
  };
}

/** Every byte of 100 000 files with two copies, read once, at 20 MiB/s. */
async function scrub({ dir }: Bench): Promise<RowReport[]> {
  const root = `${dir}/scrub`;
  const layout = new Layout("_3fs");
  const hints = await Hints.open(`${root}/hints`, silent, () => systemClock.now());
  const members = [0, 1].map((i) => new DirMember(`m${i}`, `${root}/m${i}`, false));
  const record: StageRecord = {
    placement: "hrw-1",
    region: 256,
    redundancy: 2,
    slots: members.map(({ id }) => ({ id, weight: 1, zone: undefined })),
  };
  const locks = new PathLocks(`${root}/locks`);
  const shelf = new Shelf(
    0,
    record,
    2,
    members.map((member) => new Seat(member, () => systemClock.now())),
    {
      layout,
      locks,
      hints,
      log: silent,
      clock: systemClock,
      wall: Date.now,
      writer: "bench",
      freeFloor: 0,
    },
  );
  const bytes = new Uint8Array(SMALL);
  for (let i = 0; i < FILES; i++) makeFile(layout, root, i, bytes);
  const repair = new Repair({
    shelves: [shelf],
    clock: systemClock,
    log: silent,
    directory: `${root}/repair`,
    standings: new StandingFile(root, async () => {}),
    scrub: { interval: 1, rate: SCRUB_RATE },
    outage: Infinity,
    raw: false,
    works: () => true,
  });
  const cpu = process.cpuUsage();
  const began = performance.now();
  await repair.begin({ kind: "fsck", dryRun: false });
  while (repair.job?.state === "running") await Bun.sleep(20);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const { tally } = repair.job ?? { tally: undefined };
  if (tally?.names !== FILES || tally.damaged + tally.lacking > 0)
    throw new Error(`not what was made: ${JSON.stringify(tally)}`);
  await repair.stop();
  await hints.close();
  locks.close();
  const figure = tally.read / seconds;
  const core = (user + system) / 1e6 / seconds;
  const memory = process.memoryUsage.rss();
  const figures = [
    { server: "tern", figure, cpu: (user + system) / (2 * FILES), core, memory, errors: 0 },
  ];
  const row = `scrub of ${FILES} files, two copies, bytes/s (rate: ${SCRUB_RATE / 1e6} MB/s)`;
  const met = figure <= SCRUB_RATE * 1.02 && core <= 1;
  return [{ row, per: "copy", figures, ratio: figure / SCRUB_RATE, bar: "≤ 1 core", met }];
}

function makeFile(layout: Layout, root: string, i: number, bytes: Uint8Array): void {
  const path = `/d${i % 1000}/file ${i}`;
  new DataView(bytes.buffer).setUint32(0, i);
  const sums = new Checksums();
  sums.add(bytes);
  const stamp = { time: 1_700_000_000_000, by: createHash("md5").update(path).digest("hex") };
  const { time: mtime } = stamp;
  const version = { kind: "file", stamp, mtime, ...sums.finish() } as const;
  const places = layout.places({ stage: 0, key: path, path });
  const record = emitRecord({ key: path, versions: [version] });
  for (const member of ["m0", "m1"])
    for (const [at, content] of [
      [places.data, bytes],
      [places.record, record],
    ] as const) {
      const file = `${root}/${member}${at}`;
      mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
      writeFileSync(file, content);
    }
}
