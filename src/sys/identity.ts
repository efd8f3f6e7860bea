import { type Pointer, read } from "bun:ffi";
import { readdirSync, readFileSync } from "node:fs";

import { boundBy, type Capability, keepOnly } from "./capabilities.ts";
import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";

export { type Capability, capabilities, keepOnly } from "./capabilities.ts";

// libc's own calls, not the system calls: it changes every thread of the process (nptl(7)), the
// kernel only the calling one.
const libc = openLibc({
  getpwnam: { args: ["cstring"], returns: "ptr" },
  initgroups: { args: ["cstring", "u32"], returns: "i32" },
  setresgid: { args: ["u32", "u32", "u32"], returns: "i32" },
  setresuid: { args: ["u32", "u32", "u32"], returns: "i32" },
  setuid: { args: ["u32"], returns: "i32" },
  setgid: { args: ["u32"], returns: "i32" },
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
});

const PR_SET_KEEPCAPS = 8;
const PR_SET_NO_NEW_PRIVS = 38;

// struct passwd, glibc and musl on 64 bits: name*, password*, uid u32, gid u32, gecos*, home*, shell*
const UID = 16;
const GID = 20;

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The user database's word on `name`; undefined when there is no such user. */
export function findUser(name: string): User | undefined {
  const entry = libc.getpwnam(name) as Pointer | null;
  if (entry === null) return undefined;
  return { name, uid: read.u32(entry, UID), gid: read.u32(entry, GID) };
}

/**
 * Stop being root, for good, in every thread: become `name` with its groups, keep only the named
 * capabilities (on this thread, and in programs it starts), and let no program started from here
 * gain privileges again. Call once, as root, from the main thread, after binding; a parent-death
 * signal has to be asked for afterwards, as the kernel forgets it here.
 *
 * Throws SysError: `getpwnam NAME: ENOENT` when there is no such user, EPERM when not root. When
 * it throws half-way the process must end: it may be neither one nor the other.
 */
export function dropTo(name: string, { keep }: { keep: readonly Capability[] }): User {
  const user = findUser(name);
  if (user === undefined) throw new SysError("getpwnam", "ENOENT", name);
  const { uid, gid } = user;
  // As root there is nothing to drop to; verify would then fail in a more puzzling way.
  if (uid === 0) throw new SysError("setresuid", "EINVAL", `${name} is root`);

  must("initgroups", libc.initgroups(name, gid), name);
  boundBy(keep);
  must("prctl", libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "PR_SET_KEEPCAPS");
  must("setresgid", libc.setresgid(gid, gid, gid), `${gid}`);
  must("setresuid", libc.setresuid(uid, uid, uid), `${uid}`);
  must("prctl", libc.prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0), "PR_SET_KEEPCAPS");
  keepOnly(keep);
  must("prctl", libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
  verify(user, keep);
  return user;
}

function must(call: string, result: number, on: string): void {
  if (result < 0) throw new SysError(call, errno(), on);
}

/** Trust the kernel's answer, not our own steps: no thread is root, and none can be again. */
function verify({ uid, gid }: User, keep: readonly Capability[]): void {
  for (const thread of readdirSync("/proc/self/task")) {
    const status = readFileSync(`/proc/self/task/${thread}/status`, "utf8");
    const is = (field: string, id: number): boolean =>
      status.includes(`\n${field}:\t${id}\t${id}\t${id}\t${id}\n`);
    if (!is("Uid", uid) || !is("Gid", gid))
      throw new SysError("setresuid", "EPERM", `thread ${thread}`);
  }
  // With these one could change back at will; nobody here has a reason to keep them.
  const canReturn = keep.includes("CAP_SETUID") || keep.includes("CAP_SETGID");
  if (canReturn || libc.setuid(0) === 0 || libc.setgid(0) === 0)
    throw new SysError("setuid", "EPERM", "root could be had again");
}
