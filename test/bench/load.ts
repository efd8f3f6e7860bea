import { LOAD_CORE } from "./server.ts";

/** What wrk did in one round. */
export interface Round {
  readonly requests: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Failed connects, reads, writes, time-outs and answers of 400 and above. */
  readonly errors: number;
}

export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Requests sent at once. */
  readonly pipeline: number;
}

/** Writes `requests bytes microseconds errors` as the last line. */
const SCRIPT = `
local depth = tonumber(os.getenv("PIPELINE"))
local text
function init()
  local one = wrk.format()
  text = string.rep(one, depth)
end
function request() return text end
function done(s)
  local e = s.errors
  print(string.format("RESULT %d %d %d %d", s.requests, s.bytes, s.duration,
    e.connect + e.read + e.write + e.timeout + e.status))
end
`;

/** wrk, one thread on the load's core. */
export async function wrk(dir: string, load: Load, seconds: number): Promise<Round> {
  const script = `${dir}/wrk.lua`;
  await Bun.write(script, SCRIPT);
  const headers = Object.entries(load.headers).flatMap(([k, v]) => ["-H", `${k}: ${v}`]);
  const child = Bun.spawn(
    [
      "taskset",
      "-c",
      LOAD_CORE,
      "wrk",
      "-t1",
      `-c${load.connections}`,
      `-d${seconds}s`,
      "--timeout",
      "10s",
      "-s",
      script,
      ...headers,
      load.url,
    ],
    {
      env: { ...process.env, PIPELINE: String(load.pipeline) },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const output = await new Response(child.stdout).text();
  const result = /RESULT (\d+) (\d+) (\d+) (\d+)/.exec(output)?.slice(1).map(Number);
  if (result === undefined) throw new Error(`wrk said:\n${output}`);
  const [requests = 0, bytes = 0, microseconds = 0, errors = 0] = result;
  return { requests, bytes, seconds: microseconds / 1e6, errors };
}
