import { readFile } from "node:fs/promises";

/** A server under measure, alone on core 0. */
export interface Server extends AsyncDisposable {
  readonly name: string;
  /** The process that serves. */
  readonly pid: number;
  readonly http: number;
  readonly https: number;
}

export const SERVER_CORE = "0";
export const LOAD_CORE = "1";

const START_MS = 30_000; // Swift is four programs in Python, on one core
const END_MS = 5000;

/** Start on its core; ready when `port` answers. `serving` finds the process that does the work. */
export async function start(
  name: string,
  command: readonly string[],
  ports: { readonly http: number; readonly https: number },
  serving: (pid: number) => Promise<number> = async (pid) => pid,
  core = SERVER_CORE,
): Promise<Server> {
  // The limit of open files is what ten thousand idle connections need.
  const child = Bun.spawn(
    ["sh", "-c", 'ulimit -n 20000; exec taskset -c "$@"', "sh", core, ...command],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const complaint = new Response(child.stderr).text();
  const end = async (): Promise<void> => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), END_MS);
    await child.exited;
    clearTimeout(late);
  };
  if (!(await answers(ports.http, child))) {
    await end();
    throw new Error(`${name} does not answer on port ${ports.http}:\n${await complaint}`);
  }
  return { name, pid: await serving(child.pid), ...ports, [Symbol.asyncDispose]: end };
}

async function answers(port: number, child: Bun.Subprocess): Promise<boolean> {
  for (
    const end = performance.now() + START_MS;
    performance.now() < end && child.exitCode === null;
  ) {
    const status = await fetch(`http://127.0.0.1:${port}/`, { redirect: "manual" }).then(
      (r) => r.status,
      () => 0,
    );
    if (status > 0) return true;
    await Bun.sleep(5);
  }
  return false;
}

/** The one child of a process (nginx's worker). */
export async function onlyChild(pid: number): Promise<number> {
  return Number((await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim().split(" ")[0]);
}

const TICK_US = 10_000; // USER_HZ is 100 on every Linux we run on

/** CPU time a process has used, all its threads, in microseconds. */
export async function cpuTime(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // After the name in parentheses, which may hold anything; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/** Resident memory of a process in bytes. */
export async function resident(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? NaN) * 1024;
}
