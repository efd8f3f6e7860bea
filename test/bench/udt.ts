import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { TERN } from "../e2e/from-source.ts";
import { buildPeers, HAS_LIBUDT } from "../net/udt/peers/build.ts";
import { type Figures, type RowReport, show, sides } from "./compare.ts";
import { median } from "./figures.ts";
import { machine } from "./machine.ts";
import { libudt, makeFile, type Moved, type Mover, tern } from "./udt-transfers.ts";
import { overWan, WAN_ROWS } from "./udt-wan.ts";
import type { Options } from "./web.ts";

/** The file of the row `file`: what the project's sixth issue asks for. */
const FILE_BYTES = 1_000_000_000;
/** Both rows are bytes per second over loopback; the bar is the sixth issue's, which has none for files. */
const ROWS = [
  { name: "bulk", says: "UDT, memory to memory, bytes/s", bar: 1.5 },
  { name: "file", says: "a file of 1 GB, bytes/s, ours with SHA-256", bar: undefined },
] as const;
const NOTE = `CPU and RSS: of both ends together; neither is bound to a core. Files: both copies are the file.
Ours hashes it at both ends, which without instructions for SHA takes more CPU than all the rest.
`;

/** Our UDT and libudt, each with itself over loopback, in turns; and what comes of a long link. */
export async function udt(options: Options): Promise<RowReport[]> {
  const { say, rounds, seconds } = options;
  const names: readonly string[] = [...ROWS, ...WAN_ROWS].map(({ name }) => name);
  if (options.rows?.some((row) => !names.includes(row))) {
    say(`rows: ${names.join(" ")}\n`);
    return [];
  }
  if (!HAS_LIBUDT) throw new Error("this needs Debian's libudt-dev and g++");
  const dir = await mkdtemp(join(tmpdir(), "tern-bench-"));
  try {
    const movers = [libudt(await buildPeers()), tern(options.tern ? [options.tern] : TERN)];
    say(`${await machine()}\n${rounds} rounds of ${seconds} s\n\n`);
    const reports: RowReport[] = [];
    for (const row of ROWS) {
      if (options.rows?.includes(row.name) === false) continue;
      const path = row.name === "file" ? await makeFile(dir, FILE_BYTES) : "";
      const move = async (mover: Mover): Promise<Moved> => {
        if (row.name === "bulk") return mover.bulk(seconds);
        const copy = join(dir, "copy.bin");
        await rm(copy, { force: true });
        return mover.file(path, copy);
      };
      const measured = new Map<Mover, Moved[]>(movers.map((mover) => [mover, []]));
      for (let i = 0; i < rounds; i++)
        for (const mover of i % 2 === 0 ? movers : movers.toReversed())
          measured.get(mover)?.push(await move(mover));
      reports.push(report(row, measured));
    }
    for (const row of WAN_ROWS)
      if (options.rows?.includes(row.name) !== false)
        reports.push(await overWan(row, rounds, seconds));
    say(show(reports));
    say(NOTE);
    return reports;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function report(
  { says, bar }: (typeof ROWS)[number],
  measured: ReadonlyMap<Mover, readonly Moved[]>,
): RowReport {
  const figures = [...measured].map(([{ name }, rounds]): Figures => ({
    server: name,
    figure: median(rounds.map(({ bytes, seconds }) => bytes / seconds)),
    cpu: median(rounds.map(({ bytes, cpu }) => cpu / (bytes / 1e9))),
    core: median(rounds.map(({ seconds, cpu }) => cpu / 1e6 / seconds)),
    memory: median(rounds.map(({ memory }) => memory)),
    errors: 0,
  }));
  const { ours, others } = sides(figures);
  const ratio = ours.figure / Math.max(...others.map(({ figure }) => figure));
  return {
    row: says,
    per: "GB",
    figures,
    ratio,
    bar: bar === undefined ? "none" : `≥ ${bar.toFixed(1)}`,
    met: ratio >= (bar ?? 0),
  };
}
