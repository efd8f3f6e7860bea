import { LOAD_CORE, resident } from "./server.ts";

/** Names that are written, again and again: so many are there when a round begins, or come. */
const NAMES = 20_000;

/** PUT of so many bytes under names in turn, below `base`, by wrk. */
export async function putRound(
  dir: string,
  port: number,
  {
    bytes,
    connections,
    seconds,
    base = "",
  }: { bytes: number; connections: number; seconds: number; base?: string | undefined },
): Promise<{ requests: number; seconds: number; errors: number }> {
  const script = `${dir}/put.lua`;
  await Bun.write(
    script,
    `
local body, i = string.rep("x", ${bytes}), math.floor(os.clock() * 1e6)
function request()
  i = i + 1
  return wrk.format("PUT", "${base}/put-" .. (i % ${NAMES}), nil, body)
end
function done(s)
  local e = s.errors
  print(string.format("RESULT %d %d %d", s.requests, s.duration,
    e.connect + e.read + e.write + e.timeout + e.status))
end
`,
  );
  const size = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s"];
  const child = Bun.spawn(
    ["taskset", "-c", LOAD_CORE, "wrk", ...size, "-s", script, `http://127.0.0.1:${port}`],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const output = await new Response(child.stdout).text();
  const found = /RESULT (\d+) (\d+) (\d+)/.exec(output)?.slice(1).map(Number);
  if (found === undefined) throw new Error(`wrk said:\n${output}`);
  const [requests = 0, microseconds = 0, errors = 0] = found;
  return { requests, seconds: microseconds / 1e6, errors };
}

/** So many bytes through one request, up or down, by curl. Bytes per second. */
export async function pass(
  port: number,
  path: string,
  direction: "up" | "down",
  file: string,
): Promise<number> {
  const url = `http://127.0.0.1:${port}${path}`;
  const way = direction === "up" ? ["-T", file] : [];
  const format = `%{http_code} %{speed_${direction === "up" ? "upload" : "download"}}`;
  const command = ["curl", "-sS", "-H", "Expect:", ...way, "-o", "/dev/null", "-w", format, url];
  const child = Bun.spawn(["taskset", "-c", LOAD_CORE, ...command], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [status = 0, speed = 0] = (await new Response(child.stdout).text()).split(" ").map(Number);
  if (status < 200 || status > 299) throw new Error(`${url}: ${status}`);
  return speed;
}

/** Most bytes that a process has resident while something runs, beyond what it had before. */
export async function extraMemory(pid: number, run: () => Promise<unknown>): Promise<number> {
  const before = await resident(pid);
  let most = before;
  let over = false;
  const watch = async (): Promise<void> => {
    while (!over) {
      most = Math.max(most, await resident(pid));
      await Bun.sleep(50);
    }
  };
  const watching = watch();
  await run();
  over = true;
  await watching;
  return most - before;
}
