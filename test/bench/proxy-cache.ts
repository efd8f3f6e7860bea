/** What the cache promises beside its speed: memory, one request for many clients, hits. */
import { mkdir } from "node:fs/promises";

import { freePort } from "../fake/ports.ts";
import type { RowReport } from "./compare.ts";
import { cpuTime, resident, type Server, start } from "./server.ts";

const MIB = 2 ** 20;
const BODY = 4096;
const CLIENTS = 10_000;
/** Until the memory of 256 MiB has been filled with bodies of 4 KB, and turned over by half. */
const OBJECTS = 60_000;
const SETTLE_MS = 2000;
/** The n-th most wanted of so many is asked for 1/n as often as the first. */
const KEYS = 50_000;
const REQUESTS = 150_000;
const SEED = 7;

/** Rows by name: each with a tern and a server of its own. */
export const CACHE_ROWS: Readonly<
  Record<string, (dir: string, binary: string) => Promise<RowReport>>
> = { full, cold, zipf };

/** Resident memory of a process whose cache of 256 MiB is full of small bodies. */
async function full(dir: string, binary: string): Promise<RowReport> {
  await using behind = origin(0);
  await using tern = await cache(dir, binary, behind.port, "256MiB");
  const before = await cpuTime(tern.pid);
  const done = await askAll(tern.http, OBJECTS, 32, (i) => `/${i}`);
  const cpu = ((await cpuTime(tern.pid)) - before) / OBJECTS;
  await Bun.sleep(SETTLE_MS);
  const memory = await resident(tern.pid);
  return report("RSS, 256 MiB of memory full of 4 KB", tern, {
    figure: memory,
    ratio: memory / (420 * MIB),
    bar: "≤ 420 MiB",
    met: memory <= 420 * MIB,
    cpu,
    memory,
    errors: done.errors,
  });
}

/** Requests that reach the server when very many clients want the same, which is not there yet. */
async function cold(dir: string, binary: string): Promise<RowReport> {
  await using behind = origin(500);
  await using tern = await cache(dir, binary, behind.port, "64MiB");
  behind.heard = 0;
  const before = await cpuTime(tern.pid);
  const done = await askAll(tern.http, CLIENTS, CLIENTS, () => "/cold");
  const met = behind.heard === 1 && done.errors === 0;
  return report(`requests for one cold key, ${done.answered} clients at once`, tern, {
    figure: behind.heard,
    ratio: behind.heard,
    bar: "= 1",
    met,
    cpu: ((await cpuTime(tern.pid)) - before) / CLIENTS,
    memory: await resident(tern.pid),
    errors: done.errors,
  });
}

/** Share of hits where few are wanted often; LRU with room for as many as tern had in the end. */
async function zipf(dir: string, binary: string): Promise<RowReport> {
  await using behind = origin(0);
  await using tern = await cache(dir, binary, behind.port, "16MiB");
  const wanted = trace();
  behind.heard = 0;
  const before = await cpuTime(tern.pid);
  const done = await askAll(tern.http, REQUESTS, 32, (i) => `/${wanted[i]}`);
  const cpu = ((await cpuTime(tern.pid)) - before) / REQUESTS;
  const room = await entries(dir, binary);
  const ours = 1 - behind.heard / REQUESTS;
  const theirs = lruHits(wanted, room);
  const points = (ours - theirs) * 100;
  const memory = await resident(tern.pid);
  const row = `% of hits, Zipf, room for ${room} of ${KEYS}`;
  const measured = report(row, tern, {
    figure: ours * 100,
    ratio: ours / theirs,
    bar: "≥ LRU + 3 points",
    met: points >= 3 && done.errors === 0,
    cpu,
    memory,
    errors: done.errors,
  });
  const none = { cpu: NaN, core: NaN, memory: NaN, errors: 0 };
  return {
    ...measured,
    figures: [...measured.figures, { server: "LRU", figure: theirs * 100, ...none }],
  };
}

interface Found extends Pick<RowReport, "ratio" | "bar" | "met"> {
  readonly figure: number;
  readonly cpu: number;
  readonly memory: number;
  readonly errors: number;
}

function report(row: string, { name }: Server, found: Found): RowReport {
  const { ratio, bar, met, figure, cpu, memory, errors } = found;
  const figures = [{ server: name, figure, cpu, core: NaN, memory, errors }];
  return { row, per: "request", figures, ratio, bar, met: met && errors === 0 };
}

/** A server of bodies that may be kept, after a while. */
function origin(delay: number) {
  const body = Buffer.alloc(BODY, "tern ");
  const headers = { "Cache-Control": "max-age=6000", "Content-Type": "text/plain" };
  const me = {
    heard: 0,
    port: 0,
    [Symbol.asyncDispose]: async () => server.stop(true),
  };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch() {
      me.heard++;
      if (delay > 0) await Bun.sleep(delay);
      return new Response(body, { headers });
    },
  });
  me.port = server.port ?? 0;
  return me;
}

async function cache(dir: string, binary: string, to: number, memory: string): Promise<Server> {
  const ports = { http: await freePort(), https: 0 };
  await mkdir(homeOf(dir), { recursive: true });
  const config = `
workers: 1
user: root
state: ./state
log: { level: warn, format: text, file: "-" }
admin: { listen: [], socket: ./tern.sock }
pools:
  bench: { hosts: ["127.0.0.1:${to}"] }
proxy:
  bench:
    listen: "127.0.0.1:${ports.http}"
    routes: [{ pool: bench }]
    cache: { memory: ${memory}, collapse: 30s }
    limits: { keep_alive: 600s }
`;
  await Bun.write(`${homeOf(dir)}/tern.yaml`, config);
  const command = [...binary.split(" "), "run", "-c", `${homeOf(dir)}/tern.yaml`];
  return start("tern", command, ports);
}

function homeOf(dir: string): string {
  return `${dir}/tern-cache`;
}

/** How many responses it holds. */
async function entries(dir: string, binary: string): Promise<number> {
  const socket = `${homeOf(dir)}/tern.sock`;
  const command = [...binary.split(" "), "cache", "stat", "--json", "--socket", socket];
  const out = await new Response(Bun.spawn(command, { stderr: "inherit" }).stdout).text();
  return (JSON.parse(out) as { bench: { entries: number } }).bench.entries;
}

/** Ask for `n` things over so many connections, one at a time on each. */
function askAll(
  port: number,
  n: number,
  connections: number,
  pathOf: (i: number) => string,
): Promise<{ answered: number; errors: number }> {
  let next = 0;
  let answered = 0;
  let errors = 0;
  return new Promise((resolve) => {
    const done = (): void => {
      if (answered + errors === n) resolve({ answered, errors });
    };
    const ask = (socket: Bun.Socket<Reading>): void => {
      if (next === n) return void socket.end();
      socket.data = { got: 0, length: 0, busy: true };
      socket.write(`GET ${pathOf(next++)} HTTP/1.1\r\nHost: bench\r\n\r\n`);
    };
    const lost = (reading: Reading | undefined): void => {
      if (reading !== undefined && !reading.busy) return;
      if (reading === undefined) next++;
      else reading.busy = false;
      errors++;
      done();
    };
    const socket = {
      open: ask,
      data(one: Bun.Socket<Reading>, bytes: Buffer) {
        const reading = one.data;
        if (reading.got === 0) {
          const head = bytes.indexOf("\r\n\r\n");
          const right = bytes.toString("latin1", 0, 12) === "HTTP/1.1 200";
          if (!right || head < 0) return one.terminate();
          reading.length = head + 4 + BODY;
        }
        reading.got += bytes.length;
        if (reading.got < reading.length) return;
        answered++;
        reading.busy = false;
        ask(one);
        done();
      },
      close: (one: Bun.Socket<Reading>) => lost(one.data),
    };
    const data: Reading = { got: 0, length: 0, busy: true };
    for (let i = 0; i < connections; i++)
      Bun.connect({ hostname: "127.0.0.1", port, socket, data }).catch(() => lost(undefined));
  });
}

interface Reading {
  got: number;
  length: number;
  /** An answer is due. */
  busy: boolean;
}

function trace(): Uint32Array {
  const sums = new Float64Array(KEYS);
  let total = 0;
  for (let i = 0; i < KEYS; i++) sums[i] = total += 1 / (i + 1);
  let state = SEED;
  return Uint32Array.from({ length: REQUESTS }, () => {
    // Numerical Recipes' generator: the same trace on every machine.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const at = (state / 2 ** 32) * total;
    let [low, high] = [0, KEYS - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? total) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  });
}

function lruHits(wanted: Iterable<number>, room: number): number {
  const kept = new Set<number>();
  let hits = 0;
  let asked = 0;
  for (const key of wanted) {
    asked++;
    if (kept.delete(key)) hits++;
    else if (kept.size >= room)
      for (const oldest of kept) {
        kept.delete(oldest);
        break;
      }
    kept.add(key);
  }
  return hits / asked;
}
