import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";

const PERIOD_US = 100_000;
const V2 = "/sys/fs/cgroup";
const V1 = "/sys/fs/cgroup/cpu";

/** Hold a process to `percent` of one core until the end of the scope. Throws Error where that cannot be. */
export function cpuQuota(pid: number, percent: number): Disposable {
  const second = existsSync(`${V2}/cgroup.controllers`);
  if (!second && !existsSync(`${V1}/cpu.cfs_quota_us`))
    throw new Error("no cgroup has CPU quotas here");
  const root = second ? V2 : V1;
  const group = `${root}/tern-bench-${process.pid}`;
  const quota = (PERIOD_US * percent) / 100;
  mkdirSync(group);
  if (second) writeFileSync(`${group}/cpu.max`, `${quota} ${PERIOD_US}`);
  else {
    writeFileSync(`${group}/cpu.cfs_period_us`, String(PERIOD_US));
    writeFileSync(`${group}/cpu.cfs_quota_us`, String(quota));
  }
  writeFileSync(`${group}/cgroup.procs`, String(pid));
  return {
    [Symbol.dispose]() {
      writeFileSync(`${root}/cgroup.procs`, String(pid));
      rmdirSync(group);
    },
  };
}
