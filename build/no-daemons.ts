import { lstatSync, rmSync, writeFileSync } from "node:fs";

/** Debian asks it before a package starts its daemon (invoke-rc.d(8)); 101 forbids it. */
const POLICY = "/usr/sbin/policy-rc.d";
const FORBID = "#!/bin/sh\nexit 101\n";
const ENDS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Do `work`, in which packages are installed, and have none of them start a daemon. A policy that
 * is there already is the machine's own and stays as it is; ours is gone afterwards, however this
 * ends short of SIGKILL.
 */
export async function withoutDaemons<T>(work: () => Promise<T>, path = POLICY): Promise<T> {
  try {
    writeFileSync(path, FORBID, { flag: "wx", mode: 0o755 });
  } catch {
    return work(); // there is one, or we may not
  }
  const { ino } = lstatSync(path);
  const remove = (): void => {
    if (lstatSync(path, { throwIfNoEntry: false })?.ino === ino) rmSync(path);
  };
  const end = (signal: NodeJS.Signals): void => {
    remove();
    for (const one of ENDS) process.off(one, end);
    process.kill(process.pid, signal);
  };
  for (const signal of ENDS) process.on(signal, end);
  process.on("exit", remove);
  try {
    return await work();
  } finally {
    for (const signal of ENDS) process.off(signal, end);
    process.off("exit", remove);
    remove();
  }
}
