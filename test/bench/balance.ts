import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { HELD, hold, HOLD_S, WORKERS } from "./balance-hold.ts";
import { perPair } from "./balance-idle.ts";
import { inOwnNetwork } from "./balance-network.ts";
import { backend, canned, haproxy, nginxStream, tern } from "./balance-servers.ts";
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
import { resident, type Server } from "./server.ts";
import { makeCertificate } from "./web-files.ts";
import { build, type Options } from "./web.ts";

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
/** Where we may not have a network of our own. */
const SHARED = "what is received, the load's core sees to: no root, unshare(1) or ip(8)\n\n";
const NOTE = `CPU: of the process and of the kernel's threads, which sockmap works in. core: how busy the
server's core was, by whomever; below 100 % it was not the limit.
`;

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
      if (wanted(LATENCY)) reports.push(await latency(servers, behind, "HAProxy", dir, options));
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
