import { readdir, readFile } from "node:fs/promises";

/**
 * SIGSTOP, and until it has: `kill` only asks, and on a busy machine a program answers for another 60 ms until each of
 * its threads has come to hear of it.
 */
export async function stopped(child: Bun.Subprocess): Promise<void> {
  child.kill("SIGSTOP");
  while (!(await isStopped(child.pid))) await Bun.sleep(1);
}

/** Are all threads of a process stopped, as proc(5) has it: `PID (name) STATE …`. */
async function isStopped(pid: number): Promise<boolean> {
  const threads = `/proc/${pid}/task`;
  for (const thread of await readdir(threads)) {
    const line = await readFile(`${threads}/${thread}/stat`, "utf8").catch(() => undefined);
    if (line !== undefined && !/\) T /.test(line)) return false; // undefined: it has ended meanwhile
  }
  return true;
}
