import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { digits, median, short, table } from "../figures.ts";
import { type Load, type Round, round } from "../load.ts";
import { machine } from "../machine.ts";
import { cpuTime, resident, type Server } from "../server.ts";
import { makeCertificate } from "../web-files.ts";
import type { Options } from "../web.ts";
import { go, nginx, ours } from "./servers.ts";

interface Row {
  readonly name: string;
  readonly says: string;
  readonly path: string;
  readonly keepAlive: boolean;
  readonly secure?: boolean;
}

/** The seed's tests by its own numbers (tcpserver's benchmark.sh). */
export const ROWS: readonly Row[] = [
  { name: "1", says: "1 KB, a connection each", path: "/1k", keepAlive: false },
  {
    name: "1.1",
    says: "1 KB, a connection each, TLS",
    path: "/1k",
    keepAlive: false,
    secure: true,
  },
  { name: "2", says: "1 KB, keep-alive", path: "/1k", keepAlive: true },
  { name: "2.1", says: "1 KB, keep-alive, TLS", path: "/1k", keepAlive: true, secure: true },
  { name: "3", says: "1 KB by AES-128-CBC, a connection each", path: "/aes", keepAlive: false },
  { name: "4", says: "1 KB by AES-128-CBC, keep-alive", path: "/aes", keepAlive: true },
  { name: "5", says: "128 B after 1 ms, keep-alive", path: "/sleep", keepAlive: true },
  { name: "6", says: "16 KB, a connection each", path: "/16k", keepAlive: false },
];
/** Rows that nginx has no answer to. */
const TOO_MUCH = ["/aes", "/sleep"];
/** As many as the seed's protocol has. */
const CONNECTIONS = 1000;
const WARM_UP_S = 1;

interface Figures {
  readonly server: string;
  /** Requests per second. */
  readonly rate: number;
  /** Microseconds of CPU time per request. */
  readonly cpu: number;
  /** Bytes, after the last round. */
  readonly memory: number;
  readonly errors: number;
}

export interface RowReport {
  readonly row: string;
  readonly figures: readonly Figures[];
  /** Of the best of the others. */
  readonly ratio: number;
}

/** A TcpServer program against the same in Go, one core each for server and load, in turns. */
export async function tcpserver(options: Options): Promise<RowReport[]> {
  const { say } = options;
  const names = ROWS.map(({ name }) => name);
  if (options.rows?.some((row) => !names.includes(row))) {
    say(`rows: ${names.join(" ")}\n`);
    return [];
  }
  const dir = await mkdtemp(join(tmpdir(), "tern-bench-"));
  await using all = new AsyncDisposableStack();
  all.defer(() => rm(dir, { recursive: true, force: true }));
  await makeCertificate(dir);
  say(`${await machine()}\n${options.rounds} rounds of ${options.seconds} s\n\n`);
  const made = [await go("net/http", dir), await go("fasthttp", dir)];
  const others = made.filter((one) => one !== undefined);
  if (others.length === 0) others.push(await nginx(dir));
  const servers = [...others, await ours(dir)].map((server) => all.use(server));
  const reports: RowReport[] = [];
  for (const row of ROWS)
    if (options.rows?.includes(row.name) ?? true)
      reports.push(await measure(row, servers, dir, options));
  say(show(reports));
  return reports;
}

async function measure(
  row: Row,
  all: readonly Server[],
  dir: string,
  { rounds, seconds, say }: Options,
): Promise<RowReport> {
  const servers = all.filter(({ name }) => name !== "nginx" || !TOO_MUCH.includes(row.path));
  const sides = servers.map((server) => ({ server, rounds: [] as (Round & { cpu: number })[] }));
  for (const { server } of sides) await round(dir, load(row, server), WARM_UP_S);
  for (let i = 0; i < rounds; i++) {
    if (process.stdout.isTTY) say(`\r${row.says}: ${i + 1}/${rounds}\x1b[K`);
    // Whoever goes first may find a cooler machine: take turns.
    const first = i % sides.length;
    for (const side of [...sides.slice(first), ...sides.slice(0, first)]) {
      const before = await cpuTime(side.server.pid);
      const done = await round(dir, load(row, side.server), seconds);
      side.rounds.push({ ...done, cpu: (await cpuTime(side.server.pid)) - before });
    }
  }
  if (process.stdout.isTTY) say("\r\x1b[K");
  const figures = await Promise.all(
    sides.map(async (side): Promise<Figures> => ({
      server: side.server.name,
      rate: median(side.rounds.map((one) => one.requests / one.seconds)),
      cpu: median(side.rounds.map((one) => one.cpu / one.requests)),
      memory: await resident(side.server.pid),
      errors: side.rounds.reduce((sum, one) => sum + one.errors, 0),
    })),
  );
  const rate = figures.at(-1)?.rate ?? NaN;
  const best = Math.max(...figures.slice(0, -1).map((one) => one.rate));
  return { row: `${row.name}  ${row.says}`, figures, ratio: rate / best };
}

function load(row: Row, { http, https }: Server): Load {
  const origin = row.secure ? `https://127.0.0.1:${https}` : `http://127.0.0.1:${http}`;
  const headers: Record<string, string> = row.keepAlive ? {} : { Connection: "close" };
  return { url: `${origin}${row.path}`, connections: CONNECTIONS, headers, pipeline: 1 };
}

function show(reports: readonly RowReport[]): string {
  const head = ["", "", "req/s", "ratio", "CPU µs/req", "RSS MB", "errors"];
  const lines = reports.flatMap(({ row, figures, ratio }) =>
    figures.map(({ server, rate, cpu, memory, errors }, i) => [
      i === 0 ? row : "",
      server,
      short(rate),
      i === figures.length - 1 && figures.length > 1 ? digits(ratio) : "",
      digits(cpu),
      digits(memory / 1e6),
      String(errors),
    ]),
  );
  return table([head, ...lines]);
}
