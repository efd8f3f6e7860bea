/** Servers that do the same, compared: the same requests to each of them, in turns. */
import { type Spent, spent } from "./balance-cpu.ts";
import { digits, median, short, table } from "./figures.ts";
import { type Load, type Round, round } from "./load.ts";
import { resident, type Server } from "./server.ts";
import type { Options } from "./web.ts";

/** A row of the table: what is asked through each of them, and how much of the better one's figure is enough. */
export interface Row {
  readonly name: string;
  readonly says: string;
  readonly path: string;
  readonly connections: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** So many things are asked for in turn. */
  readonly objects?: number;
  /** TLS ends at the balancer, the same certificate at each of them. */
  readonly secure?: boolean;
  /** Load and server behind as cheap as they can be: otherwise they are the limit. */
  readonly light?: boolean;
  readonly counts: "requests" | "bytes";
  /** What CPU time is told per. */
  readonly per: "request" | "connection" | "GB";
  readonly bar: number;
}

/** Until a runtime has compiled what is used: tern costs some 30 µs more per connection before. */
const WARM_UP_S = 5;

/** One server in one row: the middle of its rounds. */
export interface Figures {
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

/** One row: the figure is requests or bytes per second. */
export async function measure(
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
    ...(row.objects && { objects: row.objects }),
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

/** What those in between add to the middle of the latencies of one connection; the bar is the rival's. */
export async function latency(
  servers: readonly Server[],
  behind: Server,
  rival: string,
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
  const theirs = figures.find(({ server }) => server === rival)?.figure ?? NaN;
  const ratio = sides(figures).ours.figure / theirs;
  const row = `added latency, µs, one connection (${digits(middle(behind))} without)`;
  return { row, per: "request", figures, ratio, bar: `≤ 1.0 of ${rival}`, met: ratio <= 1 };
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

export function sides(figures: readonly Figures[]): { ours: Figures; others: readonly Figures[] } {
  const ours = figures.find(({ server }) => server === "tern");
  if (ours === undefined) throw new Error("tern was not measured");
  return { ours, others: figures.filter((one) => one !== ours) };
}

export function show(reports: readonly RowReport[]): string {
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
