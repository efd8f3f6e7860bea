import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { block, pointer } from "./memory.ts";

const libc = openLibc({
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  getppid: { args: [], returns: "i32" },
  getrlimit: { args: ["i32", "ptr"], returns: "i32" },
  setrlimit: { args: ["i32", "ptr"], returns: "i32" },
  setenv: { args: ["buffer", "buffer", "i32"], returns: "i32" },
});

const PR_SET_PDEATHSIG = 1;
const PR_SET_NAME = 15;
const NAME_SIZE = 16; // TASK_COMM_LEN, with its NUL
const RLIMIT_NOFILE = 7;

/**
 * Have the kernel send us `signal` (a number) when the process `parent` ends, however it ends.
 * "orphan" when it has ended already. The kernel means the thread that started us; and it
 * forgets the wish when our user changes, so ask after that.
 */
export function parentDeathSignal(signal: number, parent: number): "asked" | "orphan" {
  if (libc.prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) < 0)
    throw new SysError("prctl", errno(), "PR_SET_PDEATHSIG");
  return libc.getppid() === parent ? "asked" : "orphan";
}

/** /proc/self/comm: what ps -c, top and killall call this process. Cut to 15 bytes. */
export function setProcessName(name: string): void {
  const text = block(NAME_SIZE);
  new TextEncoder().encodeInto(name, text.bytes.subarray(0, NAME_SIZE - 1));
  // Not by writing /proc/self/comm: after a change of user that file is root's.
  if (libc.prctl(PR_SET_NAME, text.at, 0, 0, 0) < 0)
    throw new SysError("prctl", errno(), "PR_SET_NAME");
}

/** Open files this process may have: the soft limit in force after raising it to the hard one. */
export function openFileLimit(): number {
  const limit = block(16); // struct rlimit { u64 soft, hard; }
  if (libc.getrlimit(RLIMIT_NOFILE, pointer(limit.at)) < 0)
    throw new SysError("getrlimit", errno(), "RLIMIT_NOFILE");
  const soft = limit.view.getBigUint64(0, true);
  const hard = limit.view.getBigUint64(8, true);
  if (soft >= hard) return Number(soft);
  limit.view.setBigUint64(0, hard, true);
  const raised = libc.setrlimit(RLIMIT_NOFILE, pointer(limit.at)) === 0;
  return Number(raised ? hard : soft);
}

/**
 * Have `count` threads wait for files, where the operator has said nothing (UV_THREADPOOL_SIZE): of the
 * runtime's own two, on a machine of two cores, a third fsync would wait for the first. They are
 * made when they are needed, and the runtime asks once: call it before anything else.
 */
export function fileThreads(count: number): void {
  const keep = 0; // setenv(3): what is set stays
  libc.setenv(Buffer.from("UV_THREADPOOL_SIZE\0"), Buffer.from(`${count}\0`), keep);
}
