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
  /** So many things are asked for in turn, by a query: `?i=0` and on. */
  readonly objects?: number;
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

/** Asks for one after the other; in steps, so that what was asked lately is not asked next. */
const inTurn = (path: string, objects: number): string => `
local asked, at = {}, 0
function init()
  for i = 0, ${objects - 1} do asked[i] = wrk.format(nil, "${path}?i=" .. i) end
end
function request()
  at = (at + 7919) % ${objects}
  return asked[at]
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
  const { objects, url } = load;
  await Bun.write(script, SCRIPT + (objects ? inTurn(new URL(url).pathname, objects) : ""));
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
