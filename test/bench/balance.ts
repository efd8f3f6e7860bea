import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Spent, spent } from "./balance-cpu.ts";
import { HELD, hold, HOLD_S, WORKERS } from "./balance-hold.ts";
import { perPair } from "./balance-idle.ts";
import { inOwnNetwork } from "./balance-network.ts";
import { backend, canned, haproxy, nginxStream, tern } from "./balance-servers.ts";
import { digits, median, short, table } from "./figures.ts";
import { type Load, type Round, round } from "./load.ts";
import { machine } from "./machine.ts";
import { resident, type Server } from "./server.ts";
import { makeCertificate } from "./web-files.ts";
import { build, type Options } from "./web.ts";

/** A row of the table: what is asked through each of them, and how much of the better one's figure is enough. */
export interface Row {
  readonly name: string;
  readonly says: string;
  readonly path: string;
  readonly connections: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** TLS ends at the balancer, the same certificate at each of them. */
  readonly secure?: boolean;
  /** Load and server behind as cheap as they can be: otherwise they are the limit. */
  readonly light?: boolean;
  readonly counts: "requests" | "bytes";
  /** What CPU time is told per. */
  readonly per: "request" | "connection" | "GB";
  readonly bar: number;
}

/** The bars are those of the project's fourth issue. */
export const ROWS: readonly Row[] = [
  {
    name: "keepalive",
    says: "1 KB, keep-alive, 64 connections",
    path: "/1k.bin",
    connections: 64,
    light: true,
    counts: "requests",
    per: "request",
    bar: 1.1,
  },
  {
    name: "connections",
    says: "connections, 1 KB each",
    path: "/1k.bin",
    connections: 64,
    headers: { Connection: "close" },
    counts: "requests",
    per: "connection",
    bar: 1.2,
  },
  {
    name: "tls",
    says: "TLS 1.3 handshakes, 1 KB each",
    path: "/1k.bin",
    connections: 64,
    headers: { Connection: "close" },
    secure: true,
    counts: "requests",
    per: "connection",
    bar: 1,
  },
  {
    name: "bulk",
    says: "10 MB, bytes/s, 16 connections",
    path: "/10m.bin",
    connections: 16,
    counts: "bytes",
    per: "GB",
    bar: 1.2,
  },
];
const LATENCY = "latency";
const IDLE = "idle";
const HOLD = "hold";
/** Most bytes of RSS that an idle pair may cost. */
const IDLE_BAR = 6 * 1024;
/** Until a runtime has compiled what is used: tern costs some 30 µs more per connection before. */
const WARM_UP_S = 5;
/** Where we may not have a network of our own. */
const SHARED = "what is received, the load's core sees to: no root, unshare(1) or ip(8)\n\n";
const NOTE = `CPU: of the process and of the kernel's threads, which sockmap works in. core: how busy the
server's core was, by whomever; below 100 % it was not the limit.
`;

/** One server in one row: the middle of its rounds. */
interface Figures {
  readonly server: string;
  /** Requests or bytes per second; microseconds in the row of latency. */
  readonly figure: number;
  /** Microseconds of CPU time per request, connection or GB. */
  readonly cpu: number;
  /** Share of the time that its core was busy: below 1 the load is the limit. */
  readonly core: number;
  /** Bytes, after the last round. */
  readonly memory: number;
  readonly errors: number;
}

export interface RowReport {
  readonly row: string;
  readonly per: string;
  readonly figures: readonly Figures[];
  /** Of the better one of the others. */
  readonly ratio: number;
  readonly bar: string;
  readonly met: boolean;
}

/** HAProxy, nginx stream and tern in front of one nginx, one core each for them and the load, in turns. */
export async function balance(options: Options): Promise<RowReport[]> {
  const { say } = options;
  const names = [...ROWS.map((row) => row.name), LATENCY, IDLE, HOLD];
  if (options.rows?.some((row) => !names.includes(row))) {
    say(`rows: ${names.join(" ")}\n`);
    return [];
  }
  const alone = await inOwnNetwork();
  const wanted = (name: string): boolean => options.rows?.includes(name) ?? true;
  const dir = await mkdtemp(join(tmpdir(), "tern-bench-"));
  try {
    const binary = options.tern ?? (await build());
    await makeFiles(dir);
    say(`${await machine()}\n${options.rounds} rounds of ${options.seconds} s\n`);
    say(alone ? "what is received, the server's core sees to\n\n" : SHARED);
    const before = (behind: Server) => ({
      haproxy: () => haproxy(dir, behind.http),
      nginx: () => nginxStream(dir, behind.http),
      tern: () => tern(dir, binary, behind.http),
    });
    const reports: RowReport[] = [];
    const rows = Map.groupBy(
      ROWS.filter(({ name }) => wanted(name)),
      ({ light = false }) => light,
    );
    {
      await using light = await canned();
      const make = before(light);
      await using one = await make.haproxy();
      await using two = await make.nginx();
      await using ours = await make.tern();
      for (const row of rows.get(true) ?? [])
        reports.push(await measure(row, [one, two, ours], dir, options));
    }
    await using behind = await backend(dir);
    const make = before(behind);
    {
      await using one = await make.haproxy();
      await using two = await make.nginx();
      await using ours = await make.tern();
      const servers = [one, two, ours];
      for (const row of rows.get(false) ?? [])
        reports.push(await measure(row, servers, dir, options));
      if (wanted(LATENCY)) reports.push(await latency(servers, behind, dir, options));
    }
    // Each from its start: memory that was used once does not come back.
    if (wanted(IDLE)) reports.push(await idle(Object.values(make)));
    if (wanted(HOLD)) reports.push(await held(dir, binary, behind));
    say(show(reports));
    say(NOTE);
    return reports;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function makeFiles(dir: string): Promise<void> {
  await makeCertificate(dir);
  // HAProxy wants both in one file.
  await Bun.write(
    `${dir}/both.pem`,
    `${await Bun.file(`${dir}/tls.pem`).text()}${await Bun.file(`${dir}/tls.key`).text()}`,
  );
  await mkdir(`${dir}/www`);
  await Bun.write(`${dir}/www/1k.bin`, Buffer.alloc(1024, "tern "));
  await Bun.write(`${dir}/www/10m.bin`, Buffer.alloc(10 * 1024 * 1024, "tern "));
}

/** Every server once in every round, in another order each time: whoever is first may find a cooler machine. */
async function inTurns(
  servers: readonly Server[],
  { rounds, say }: Pick<Options, "rounds" | "say">,
  says: string,
  visit: (server: Server) => Promise<void>,
): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    if (process.stdout.isTTY) say(`\r${says}: ${i + 1}/${rounds}\x1b[K`);
    const first = i % servers.length;
    for (const server of [...servers.slice(first), ...servers.slice(0, first)]) await visit(server);
  }
  if (process.stdout.isTTY) say("\r\x1b[K");
}

async function measure(
  row: Row,
  servers: readonly Server[],
  dir: string,
  options: Options,
): Promise<RowReport> {
  const measured = new Map(servers.map((server) => [server, [] as Metered[]]));
  const load = ({ http, https }: Server) => ({
    url: `${row.secure ? `https://127.0.0.1:${https}` : `http://127.0.0.1:${http}`}${row.path}`,
    connections: row.connections,
    headers: row.headers ?? {},
    pipeline: 1,
    ...(row.light && { light: true }),
  });
  for (const server of servers) await round(dir, load(server), WARM_UP_S);
  await inTurns(servers, options, row.says, async (server) => {
    measured.get(server)?.push(await metered(server, dir, load(server), options.seconds));
  });
  const figures = await Promise.all(
    servers.map(async (server): Promise<Figures> => {
      const rounds = measured.get(server) ?? [];
      const units = (one: Round): number => (row.per === "GB" ? one.bytes / 1e9 : one.requests);
      return {
        server: server.name,
        figure: median(rounds.map((one) => one[row.counts] / one.seconds)),
        cpu: median(rounds.map((one) => one.cpu / units(one))),
        core: busy(rounds),
        memory: await resident(server.pid),
        errors: rounds.reduce((sum, one) => sum + one.errors, 0),
      };
    }),
  );
  const { ours, others } = sides(figures);
  const ratio = ours.figure / Math.max(...others.map(({ figure }) => figure));
  const met = ratio >= row.bar && ours.errors === 0;
  return { row: row.says, per: row.per, figures, ratio, bar: `≥ ${row.bar.toFixed(1)}`, met };
}

type Metered = Round & Spent;

/** One round, with what it cost the server. */
async function metered(server: Server, dir: string, load: Load, seconds: number): Promise<Metered> {
  const before = await spent(server);
  const done = await round(dir, load, seconds);
  const after = await spent(server);
  return { ...done, cpu: after.cpu - before.cpu, core: after.core - before.core };
}

/** Share of the rounds that the server's core was busy. */
function busy(rounds: readonly Metered[]): number {
  return median(rounds.map((one) => one.core / 1e6 / one.seconds));
}

/** What a balancer adds to the middle of the latencies of one connection. */
async function latency(
  servers: readonly Server[],
  behind: Server,
  dir: string,
  options: Options,
): Promise<RowReport> {
  const measured = new Map<Server, Metered[]>();
  await inTurns([...servers, behind], options, "latency", async (server) => {
    const url = `http://127.0.0.1:${server.http}/1k.bin`;
    const load = { url, connections: 1, headers: {}, pipeline: 1 };
    const done = await metered(server, dir, load, options.seconds);
    measured.set(server, [...(measured.get(server) ?? []), done]);
  });
  const middle = (server: Server): number =>
    median((measured.get(server) ?? []).map((one) => one.median));
  const figures = await Promise.all(
    servers.map(async (server): Promise<Figures> => ({
      server: server.name,
      figure: middle(server) - middle(behind),
      cpu: median((measured.get(server) ?? []).map((one) => one.cpu / one.requests)),
      core: busy(measured.get(server) ?? []),
      memory: await resident(server.pid),
      errors: (measured.get(server) ?? []).reduce((sum, one) => sum + one.errors, 0),
    })),
  );
  const theirs = figures.find(({ server }) => server === "HAProxy")?.figure ?? NaN;
  const ratio = sides(figures).ours.figure / theirs;
  const row = `added latency, µs, one connection (${digits(middle(behind))} without)`;
  return { row, per: "request", figures, ratio, bar: "≤ 1.0 of HAProxy", met: ratio <= 1 };
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
  return { row: "bytes of RSS per idle pair", per: "", figures, ratio, bar: "≤ 6 KiB", met };
}

/** Whether tern has what thousands of idle connections need, for as long as they want. */
async function held(dir: string, binary: string, behind: Server): Promise<RowReport> {
  const { perPair, memory, lost } = await hold(dir, binary, behind);
  const row = `bytes of RSS per pair, ${HELD} held for ${HOLD_S} s, ${WORKERS} workers`;
  const figure = { server: "tern", figure: perPair, cpu: NaN, core: NaN, memory, errors: lost };
  const met = perPair <= IDLE_BAR && lost === 0;
  return { row, per: "", figures: [figure], ratio: NaN, bar: "≤ 6 KiB", met };
}

function sides(figures: readonly Figures[]): { ours: Figures; others: readonly Figures[] } {
  const ours = figures.find(({ server }) => server === "tern");
  if (ours === undefined) throw new Error("tern was not measured");
  return { ours, others: figures.filter((one) => one !== ours) };
}

function show(reports: readonly RowReport[]): string {
  const head = [
    "",
    "",
    "figure",
    "ratio",
    "bar",
    "",
    "CPU µs",
    "per",
    "core %",
    "RSS MB",
    "errors",
  ];
  const lines = reports.flatMap(({ row, per, figures, ratio, bar, met }) =>
    figures.map(({ server, figure, cpu, core, memory, errors }, i) => {
      const ours = server === "tern";
      return [
        i === 0 ? row : "",
        server,
        short(figure),
        ours ? digits(ratio) : "",
        ours ? bar : "",
        ours ? (met ? "met" : "NOT MET") : "",
        digits(cpu),
        per,
        digits(core * 100),
        digits(memory / 1e6),
        String(errors),
      ];
    }),
  );
  return table([head, ...lines]);
}
