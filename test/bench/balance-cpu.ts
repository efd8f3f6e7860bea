import { readdir, readFile } from "node:fs/promises";

import { cpuTime, type Server, SERVER_CORE } from "./server.ts";

const TICK_US = 10_000; // USER_HZ, as in server.ts
const KTHREADD = "2";

/** CPU so far, in microseconds. */
export interface Spent {
  /** The server's process and the kernel's own threads. */
  readonly cpu: number;
  /** The server's core: everything that was done there, softirqs and other processes too. */
  readonly core: number;
}

/**
 * What a server has cost until now. A kernel that relays by itself (sockmap) does so in threads of
 * its own, which no process is charged for: they are counted as the server's, for all servers alike.
 */
export async function spent({ pid }: Pick<Server, "pid">): Promise<Spent> {
  const [own, threads, core] = await Promise.all([cpuTime(pid), kernelThreads(), coreTime()]);
  return { cpu: own + threads, core };
}

async function kernelThreads(): Promise<number> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const times = await Promise.all(pids.map(kernelThread));
  return times.reduce((sum, one) => sum + one, 0);
}

/** 0 for whatever is none, or is gone. */
async function kernelThread(pid: string): Promise<number> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const parent = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
    if (parent !== KTHREADD) return 0;
    // Nanoseconds: there are many of them, and each has little.
    return Number((await readFile(`/proc/${pid}/schedstat`, "utf8")).split(" ")[0]) / 1000;
  } catch {
    return 0;
  }
}

async function coreTime(): Promise<number> {
  const line = new RegExp(`^cpu${SERVER_CORE} (.*)$`, "m").exec(
    await readFile("/proc/stat", "utf8"),
  );
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (line?.[1] ?? "")
    .split(" ")
    .map(Number);
  return (user + nice + system + irq + softirq) * TICK_US;
}
