import type { CheckOf } from "../check.ts";
import type { Probe } from "../watch.ts";

/** Programs that run at one time for all checks of this process; others wait their turn. */
const MOST_AT_ONCE = 16;

let running = 0;
const waiting: (() => void)[] = [];

/**
 * Good when the program exits with 0. It learns the target from $TERN_HOST and $TERN_PORT, and its
 * last line on standard error is why, when it fails. Killed at the deadline.
 */
export function execProbe(host: string, port: number, { command }: CheckOf<"exec">): Probe {
  const env = {
    PATH: process.env["PATH"],
    TERN_HOST: host,
    TERN_PORT: port === 0 ? "" : `${port}`,
  };
  return async (deadline) => {
    if (running >= MOST_AT_ONCE) await new Promise<void>((go) => waiting.push(go));
    running++;
    try {
      return deadline.aborted
        ? "timeout: too many programs at once"
        : await run(command, env, deadline);
    } finally {
      running--;
      waiting.shift()?.();
    }
  };
}

async function run(
  command: readonly string[],
  env: Record<string, string | undefined>,
  deadline: AbortSignal,
): Promise<string | undefined> {
  // A session of its own: what the program starts is killed with it.
  const child = Bun.spawn({
    cmd: [...command],
    env,
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  const kill = (): void => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It ended just now.
    }
  };
  deadline.addEventListener("abort", kill, { once: true });
  const [said, code] = await Promise.all([tail(child.stderr), child.exited]);
  deadline.removeEventListener("abort", kill);
  if (code === 0) return undefined;
  if (deadline.aborted) return "timeout";
  const why = child.signalCode === null ? `exit code ${code}` : `signal ${child.signalCode}`;
  return said === "" ? why : `${why}: ${said}`;
}

/** Characters of a last line that are worth showing. */
const LINE_MAX = 200;

/** The last line, however much comes before it. */
async function tail(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let kept = "";
  for await (const bytes of stream)
    kept = (kept + decoder.decode(bytes, { stream: true })).slice(-LINE_MAX);
  return kept.trimEnd().split("\n").at(-1) ?? "";
}
