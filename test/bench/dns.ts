import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { cpuQuota } from "./cpu-quota.ts";
import { type DnsLoad, dnsperf, type DnsRound } from "./dns-load.ts";
import {
  familyMemory,
  familyTime,
  gdnsd,
  knot,
  type NameServer,
  nsd,
  tern,
} from "./dns-servers.ts";
import { largeZone, makeZones } from "./dns-zones.ts";
import { digits, median, short, table } from "./figures.ts";
import { machine } from "./machine.ts";
import { SERVER_CORE } from "./server.ts";
import { makeCertificate } from "./web-files.ts";
import type { Options } from "./web.ts";

type Peer = "NSD" | "Knot" | "gdnsd";

/** A question in the bench. */
interface Row {
  readonly name: string;
  readonly says: string;
  readonly peers: readonly Peer[];
  readonly load: (server: NameServer, dir: string) => DnsLoad;
  /** Of the best of the peers. */
  readonly rate: number;
  /** At most so many times the CPU of the best; undefined: no bar. */
  readonly cpu?: number;
  /** Every answer has this rcode. */
  readonly rcode: string;
}

const udp = (questions: string): Row["load"] => {
  return ({ port }, dir) => ({
    port,
    questions: `${dir}/${questions}.txt`,
    mode: "udp",
    clients: 8,
    outstanding: 200,
    signed: false,
  });
};

export const ROWS: readonly Row[] = [
  {
    name: "one",
    says: "UDP, A of one name, 4 addresses",
    peers: ["NSD", "Knot", "gdnsd"],
    load: udp("one"),
    rate: 1,
    cpu: 1,
    rcode: "NOERROR",
  },
  {
    name: "many",
    says: "UDP, A of 10 000 names",
    peers: ["NSD", "Knot"],
    load: udp("many"),
    rate: 1,
    cpu: 1,
    rcode: "NOERROR",
  },
  {
    name: "computed",
    says: "UDP, computed, 6 addresses with health",
    peers: ["gdnsd"],
    load: udp("computed"),
    rate: 1,
    cpu: 1,
    rcode: "NOERROR",
  },
  {
    name: "denied",
    says: "UDP, NXDOMAIN, signed",
    peers: ["NSD"],
    load: ({ open }, dir) => ({
      ...udp("denied")({ port: open } as NameServer, dir),
      signed: true,
    }),
    rate: 0.5,
    rcode: "NXDOMAIN",
  },
  {
    name: "tcp",
    says: "TCP, 50 connections",
    peers: ["Knot"],
    load: (server, dir) => ({ ...udp("one")(server, dir), mode: "tcp", clients: 50 }),
    rate: 1,
    rcode: "NOERROR",
  },
  {
    name: "dot",
    says: "TLS, 50 connections",
    // Debian's Knot speaks no TLS.
    peers: ["NSD"],
    load: ({ tls }, dir) => ({
      ...udp("one")({ port: tls } as NameServer, dir),
      mode: "dot",
      clients: 50,
    }),
    rate: 1,
    rcode: "NOERROR",
  },
];
const OWN = ["names", "reload", "small"] as const;

/** One server in one row: the middle of its rounds. */
interface Figures {
  readonly server: string;
  readonly rate: number;
  /** Microseconds of CPU per answer. */
  readonly cpu: number;
  readonly memory: number;
  readonly lost: number;
}

export interface DnsReport {
  readonly row: string;
  readonly figures: readonly Figures[];
  readonly says: string;
  readonly met: boolean;
}

const WARM_UP_S = 1;
/** Of one name's rate, for many names; of the seed's 3000/s, on a fifth of a core. */
const MANY_BAR = 0.95;
const SEED_RATE = 3000;
const SEED_BAR = 10;
const QUOTA_PERCENT = 20;
const RELOAD_BAR_S = 2;

/** tern, NSD, Knot and gdnsd on the same zones, one core each for server and load, in turns. */
export async function dns(options: Options): Promise<DnsReport[]> {
  const { say } = options;
  const names = [...ROWS.map((r) => r.name), ...OWN];
  if (options.rows?.some((r) => !names.includes(r))) {
    say(`rows: ${names.join(" ")}\n`);
    return [];
  }
  const wanted = (name: string): boolean => options.rows?.includes(name) ?? true;
  const dir = await mkdtemp(join(tmpdir(), "tern-bench-"));
  // Somebody whose health is good.
  const alive = Bun.listen({ hostname: "0.0.0.0", port: 0, socket: { data() {} } });
  try {
    const command = [options.tern ?? (await build())];
    await makeZones(dir);
    await makeCertificate(dir);
    say(`${await machine()}\n${options.rounds} rounds of ${options.seconds} s\n\n`);

    const reports: DnsReport[] = [];
    const servers = new Map<string, NameServer>();
    await using held = new AsyncDisposableStack();
    const ours = held.use(await tern(dir, command, alive.port));
    const rows = ROWS.filter((r) => wanted(r.name));
    const make = {
      NSD: () => nsd(dir),
      Knot: () => knot(dir),
      gdnsd: () => gdnsd(dir, alive.port),
    };
    for (const peer of new Set(rows.flatMap((r) => r.peers)))
      servers.set(peer, held.use(await make[peer]()));
    for (const row of rows) {
      const theirs = row.peers.flatMap((peer) => servers.get(peer) ?? []);
      reports.push(await measure(row, [ours, ...theirs], dir, options));
    }
    if (wanted("names")) reports.push(await oneAndMany(ours, dir, options));
    if (wanted("reload")) reports.push(await reload(ours, command, dir));
    if (wanted("small")) reports.push(await small(ours, dir, options));
    say(show(reports));
    return reports;
  } finally {
    alive.stop(true);
    await rm(dir, { recursive: true, force: true });
  }
}

async function measure(
  row: Row,
  servers: readonly NameServer[],
  dir: string,
  { rounds, seconds, say }: Options,
): Promise<DnsReport> {
  const sides = servers.map((server) => ({
    server,
    load: row.load(server, dir),
    rounds: [] as { rate: number; cpu: number; lost: number }[],
  }));
  for (const { load } of sides) await dnsperf(load, WARM_UP_S);
  for (let round = 1; round <= rounds; round++) {
    if (process.stdout.isTTY) say(`\r${row.says}: ${round}/${rounds}\x1b[K`);
    // Whoever goes first may find a cooler machine: take turns.
    for (const side of round % 2 ? sides : sides.toReversed())
      side.rounds.push(await measured(side.server, side.load, seconds, row.rcode));
  }
  if (process.stdout.isTTY) say("\r\x1b[K");
  const figures = await Promise.all(
    sides.map(async ({ server, rounds: all }) => ({
      server: server.name,
      rate: median(all.map((r) => r.rate)),
      cpu: median(all.map((r) => r.cpu)),
      memory: await familyMemory(server.pid),
      lost: all.reduce((sum, r) => sum + r.lost, 0),
    })),
  );
  const [ours, ...theirs] = figures as [Figures, ...Figures[]];
  const rate = ours.rate / Math.max(...theirs.map((f) => f.rate));
  const cpu = ours.cpu / Math.min(...theirs.map((f) => f.cpu));
  const met = rate >= row.rate && (row.cpu === undefined || cpu <= row.cpu) && ours.lost === 0;
  const bar = row.cpu === undefined ? "" : ` ≤ ${row.cpu}`;
  const says = `rate ${digits(rate)} × ≥ ${row.rate}, CPU ${digits(cpu)} ×${bar}`;
  return { row: row.says, figures, says, met };
}

async function measured(
  server: NameServer,
  load: DnsLoad,
  seconds: number,
  rcode: string,
): Promise<{ rate: number; cpu: number; lost: number }> {
  const before = await familyTime(server.pid);
  const round = await dnsperf(load, seconds);
  const used = (await familyTime(server.pid)) - before;
  allAre(rcode, round, server);
  return { rate: round.answers / round.seconds, cpu: used / round.answers, lost: round.lost };
}

function allAre(rcode: string, { rcodes }: DnsRound, { name }: NameServer): void {
  if ((rcodes[rcode] ?? 0) < 100)
    throw new Error(`${name} is to answer ${rcode}, and says ${JSON.stringify(rcodes)}`);
}

/** Many names are as quick as one. */
async function oneAndMany(
  ours: NameServer,
  dir: string,
  { rounds, seconds }: Options,
): Promise<DnsReport> {
  const rates = { one: [] as number[], many: [] as number[] };
  for (let round = 0; round < rounds; round++)
    for (const kind of ["one", "many"] as const)
      rates[kind].push((await measured(ours, udp(kind)(ours, dir), seconds, "NOERROR")).rate);
  const ratio = median(rates.many) / median(rates.one);
  const says = `${digits(ratio)} × ≥ ${MANY_BAR}`;
  return { row: "10 000 names beside one", figures: [], says, met: ratio >= MANY_BAR };
}

/** A zone of 100 000 records is read again while it is asked for. */
async function reload(
  ours: NameServer,
  command: readonly string[],
  dir: string,
): Promise<DnsReport> {
  const load = { ...udp("large")(ours, dir), outstanding: 100 };
  const running = dnsperf(load, 5);
  await Bun.sleep(1000);
  await largeZone(dir, 2);
  const began = performance.now();
  const socket = ["--socket", `${dir}/tern.sock`];
  const verb = Bun.spawn([...command, "reload", ...socket], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  await verb.exited;
  const seconds = (performance.now() - began) / 1000;
  const { lost, answers } = await running;
  const says = `${digits(seconds)} s ≤ ${RELOAD_BAR_S}, ${lost} lost of ${short(answers)}`;
  return {
    row: "reload of 100 000 records",
    figures: [],
    says,
    met: verb.exitCode === 0 && lost === 0 && seconds <= RELOAD_BAR_S,
  };
}

/** A fifth of a core. */
async function small(ours: NameServer, dir: string, { seconds }: Options): Promise<DnsReport> {
  const row = `UDP on ${QUOTA_PERCENT} % of core ${SERVER_CORE}`;
  try {
    // More under way: while the process may not run, nobody answers.
    const load = { ...udp("one")(ours, dir), outstanding: 2000 };
    await dnsperf(load, WARM_UP_S);
    using _ = cpuQuota(ours.pid, QUOTA_PERCENT);
    const { answers, seconds: took } = await dnsperf(load, seconds);
    const times = answers / took / SEED_RATE;
    const says = `${short(answers / took)}/s, ${digits(times)} × the seed's ≥ ${SEED_BAR}`;
    return { row, figures: [], says, met: times >= SEED_BAR };
  } catch (error) {
    return { row, figures: [], says: `not tried: ${(error as Error).message}`, met: false };
  }
}

async function build(): Promise<string> {
  const root = new URL("../..", import.meta.url).pathname;
  const child = Bun.spawn(["bun", "build/compile.ts", "--host"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if ((await child.exited) !== 0) throw new Error("dist/tern could not be built");
  return `${root}dist/tern`;
}

function show(reports: readonly DnsReport[]): string {
  const head = ["", "server", "answers/s", "CPU µs", "RSS MB", "lost"];
  const lines = reports.flatMap(({ row, figures, says, met }) => [
    [`${row}: ${says}: ${met ? "met" : "NOT MET"}`, "", "", "", "", ""],
    ...figures.map(({ server, rate, cpu, memory, lost }) => [
      "",
      server,
      short(rate),
      digits(cpu),
      digits(memory / 1e6),
      String(lost),
    ]),
  ]);
  return table([head, ...lines]);
}
