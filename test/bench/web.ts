import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { digits, median, short, table } from "./figures.ts";
import { type Load, round } from "./load.ts";
import { machine } from "./machine.ts";
import { cpuTime, resident, type Server } from "./server.ts";
import { makeCertificate, makeFiles } from "./web-files.ts";
import { coldStart, idleMemory, perConnection } from "./web-idle.ts";
import { loadOf, type Row, ROWS } from "./web-rows.ts";
import { nginx, tern } from "./web-servers.ts";

export interface Options {
  readonly rounds: number;
  readonly seconds: number;
  readonly rows: readonly string[] | undefined;
  /** A binary to measure; undefined builds one. */
  readonly tern: string | undefined;
  /** Where programs of others are, for those benches that need them. */
  readonly checkout?: string | undefined;
  readonly say: (text: string) => void;
}

/** One server in one row: the middle of its rounds. */
interface Figures {
  /** Requests or bytes per second. */
  readonly rate: number;
  /** Microseconds of CPU time per request. */
  readonly cpu: number;
  /** Bytes, after the last round. */
  readonly memory: number;
  readonly errors: number;
}

export interface RowReport {
  readonly row: string;
  readonly tern: Figures;
  readonly nginx: Figures;
  readonly ratio: number;
  readonly bar: number;
  readonly met: boolean;
}

/** A figure of tern's own that has a limit. */
export interface LimitReport {
  readonly row: string;
  readonly tern: number;
  readonly nginx: number;
  readonly limit: number;
  readonly met: boolean;
}

const IDLE = ["idle", "connections", "cold"] as const;
const WARM_UP_S = 1;
const COLD_STARTS = 10;

/** nginx and tern on the same files, one core each for server and load, in turns. */
export async function web(options: Options): Promise<(RowReport | LimitReport)[]> {
  const { say } = options;
  const names = [...ROWS.map((r) => r.name), ...IDLE];
  if (options.rows?.some((r) => !names.includes(r))) {
    say(`rows: ${names.join(" ")}\n`);
    return [];
  }
  const wanted = (name: string): boolean => options.rows?.includes(name) ?? true;
  const dir = await mkdtemp(join(tmpdir(), "tern-bench-"));
  try {
    const binary = options.tern ?? (await build());
    await makeFiles(dir);
    await makeCertificate(dir);
    say(`${await machine()}\n${options.rounds} rounds of ${options.seconds} s\n\n`);

    const limits = await measureLimits(dir, binary, wanted);
    await using theirs = await nginx(dir);
    await using ours = await tern(dir, binary);
    const rows: RowReport[] = [];
    for (const row of ROWS.filter((r) => wanted(r.name)))
      rows.push(await measure(row, { theirs, ours }, dir, options));
    say(rows.length ? `${showRows(rows)}\n` : "");
    say(limits.length ? showLimits(limits) : "");
    return [...rows, ...limits];
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function measure(
  row: Row,
  { theirs, ours }: { theirs: Server; ours: Server },
  dir: string,
  { rounds, seconds, say }: Options,
): Promise<RowReport> {
  const sides = await Promise.all(
    [theirs, ours].map(async (server) => ({
      server,
      load: await loadOf(row, server, `${dir}/www`),
      rounds: [] as Measured[],
    })),
  );
  for (const { load } of sides) await round(dir, load, WARM_UP_S);
  for (let round = 1; round <= rounds; round++) {
    if (process.stdout.isTTY) say(`\r${row.says}: ${round}/${rounds}\x1b[K`);
    // Whoever goes first may find a cooler machine: take turns.
    for (const side of round % 2 ? sides : sides.toReversed())
      side.rounds.push(await measured(side.server, row, side.load, dir, seconds));
  }
  if (process.stdout.isTTY) say("\r\x1b[K");
  const [nginxFigures, ternFigures] = (await Promise.all(
    sides.map(async (side) => ({
      rate: median(side.rounds.map((r) => r.rate)),
      cpu: median(side.rounds.map((r) => r.cpu)),
      memory: await resident(side.server.pid),
      errors: side.rounds.reduce((sum, r) => sum + r.errors, 0),
    })),
  )) as [Figures, Figures];
  const ratio = ternFigures.rate / nginxFigures.rate;
  const met = ratio >= row.bar && ternFigures.errors === 0;
  return { row: row.says, tern: ternFigures, nginx: nginxFigures, ratio, bar: row.bar, met };
}

type Measured = Omit<Figures, "memory">;

async function measured(
  server: Server,
  row: Row,
  load: Load,
  dir: string,
  seconds: number,
): Promise<Measured> {
  const before = await cpuTime(server.pid);
  const done = await round(dir, load, seconds);
  const used = (await cpuTime(server.pid)) - before;
  const { requests, errors } = done;
  return { rate: done[row.counts] / done.seconds, cpu: used / requests, errors };
}

async function measureLimits(
  dir: string,
  binary: string,
  wanted: (name: string) => boolean,
): Promise<LimitReport[]> {
  const reports: LimitReport[] = [];
  const add = (row: string, limit: number, ours: number, theirs: number): unknown =>
    reports.push({ row, tern: ours, nginx: theirs, limit, met: ours <= limit });
  const make = { ours: () => tern(dir, binary), theirs: () => nginx(dir) };

  if (wanted("idle") || wanted("connections")) {
    await using ours = await make.ours();
    await using theirs = await make.theirs();
    if (wanted("idle"))
      add(
        "RSS of an idle worker, MB",
        60,
        (await idleMemory(ours)) / 1e6,
        (await idleMemory(theirs)) / 1e6,
      );
    if (wanted("connections"))
      add(
        "growth per idle connection, KB",
        10,
        (await perConnection(ours)) / 1024,
        (await perConnection(theirs)) / 1024,
      );
  }
  if (wanted("cold"))
    add(
      "cold start to first answer, ms",
      150,
      await coldStart(make.ours, COLD_STARTS),
      await coldStart(make.theirs, COLD_STARTS),
    );
  return reports;
}

/** A new dist/tern. */
export async function build(): Promise<string> {
  const root = new URL("../..", import.meta.url).pathname;
  const child = Bun.spawn(["bun", "build/compile.ts", "--host"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if ((await child.exited) !== 0) throw new Error("dist/tern could not be built");
  return `${root}dist/tern`;
}

function showRows(rows: readonly RowReport[]): string {
  const head = [
    "",
    "tern/s",
    "nginx/s",
    "ratio",
    "bar",
    "",
    "CPU µs/req",
    "nginx",
    "RSS MB",
    "nginx",
  ];
  const lines = rows.map(({ row, tern, nginx, ratio, bar, met }) => [
    row,
    short(tern.rate),
    short(nginx.rate),
    digits(ratio),
    `≥ ${bar.toFixed(1)}`,
    `${met ? "met" : "NOT MET"}${tern.errors ? ` (${tern.errors} errors)` : ""}`,
    digits(tern.cpu),
    digits(nginx.cpu),
    digits(tern.memory / 1e6),
    digits(nginx.memory / 1e6),
  ]);
  return table([head, ...lines]);
}

function showLimits(limits: readonly LimitReport[]): string {
  const lines = limits.map(({ row, tern, nginx, limit, met }) => [
    row,
    digits(tern),
    digits(nginx),
    `≤ ${limit}`,
    met ? "met" : "NOT MET",
  ]);
  return table([["", "tern", "nginx", "bar", ""], ...lines]);
}
