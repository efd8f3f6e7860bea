import { LOAD_CORE } from "./server.ts";

/** What wrk did in one round. */
export interface Round {
  readonly requests: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Failed connects, reads, writes, time-outs and answers of 400 and above. */
  readonly errors: number;
  /** Microseconds: the middle of the latencies; NaN when nobody looked. */
  readonly median: number;
}

export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Requests sent at once. */
  readonly pipeline: number;
  /** By burst.ts, pipelined or not: wrk spends more on an answer than it costs some to relay it. */
  readonly light?: boolean;
}

/** Writes `requests bytes microseconds errors median` as the last line. */
const SCRIPT = `
function done(s, latency)
  local e = s.errors
  print(string.format("RESULT %d %d %d %d %d", s.requests, s.bytes, s.duration,
    e.connect + e.read + e.write + e.timeout + e.status,
    latency:percentile(50)))
end
`;

/** One round of `load` from the load's core: by wrk, or by our own burst.ts when it is pipelined or shall be light. */
export async function round(dir: string, load: Load, seconds: number): Promise<Round> {
  const command =
    load.pipeline > 1 || load.light ? burst(load, seconds) : await wrk(dir, load, seconds);
  const child = Bun.spawn(["taskset", "-c", LOAD_CORE, ...command], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const output = await new Response(child.stdout).text();
  const result = /RESULT (\d+) (\d+) (\d+) (\d+)(?: (\d+))?/.exec(output)?.slice(1).map(Number);
  if (result === undefined) throw new Error(`${command[0]} said:\n${output}`);
  const [requests = 0, bytes = 0, microseconds = 0, errors = 0, median = NaN] = result;
  return { requests, bytes, seconds: microseconds / 1e6, errors, median };
}

async function wrk(dir: string, load: Load, seconds: number): Promise<string[]> {
  const script = `${dir}/wrk.lua`;
  await Bun.write(script, SCRIPT);
  const headers = Object.entries(load.headers).flatMap(([k, v]) => ["-H", `${k}: ${v}`]);
  const size = ["-t1", `-c${load.connections}`, `-d${seconds}s`, "--timeout", "10s"];
  return ["wrk", ...size, "-s", script, ...headers, load.url];
}

function burst(load: Load, seconds: number): string[] {
  const { pathname, port } = new URL(load.url);
  const numbers = [load.pipeline, load.connections, seconds].map(String);
  const script = `${import.meta.dir}/burst.ts`;
  return [process.execPath, script, port, pathname, ...numbers, JSON.stringify(load.headers)];
}
