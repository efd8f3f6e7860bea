import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { block, pointer } from "./memory.ts";

const libc = openLibc({
  capget: { args: ["ptr", "ptr"], returns: "i32" },
  capset: { args: ["ptr", "ptr"], returns: "i32" },
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
});

/** capabilities(7) in the order of linux/capability.h: a name's place is its number. */
const NAMES = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
] as const;
export type Capability = (typeof NAMES)[number];

const VERSION_3 = 0x20080522; // _LINUX_CAPABILITY_VERSION_3
const PR_CAPBSET_DROP = 24;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_RAISE = 2;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;

// struct __user_cap_header_struct { u32 version; int pid; }, pid 0 being this thread;
// struct __user_cap_data_struct { u32 effective, permitted, inheritable; } [2], low bits first.
const header = block(8);
const data = block(24);
const SETS = { effective: 0, permitted: 4, inheritable: 8 } as const;
const HIGH = 12;

/** What this thread may do (effective), may take up (permitted) and passes on (inheritable). */
export function capabilities(): Record<keyof typeof SETS, readonly Capability[]> {
  header.view.setUint32(0, VERSION_3, true);
  if (libc.capget(pointer(header.at), pointer(data.at)) < 0)
    throw new SysError("capget", errno(), "this thread");
  const names = (at: number): Capability[] =>
    NAMES.filter((_, i) => (word(at, i) >>> (i % 32)) & 1);
  return { effective: names(0), permitted: names(4), inheritable: names(8) };
}

function word(at: number, capability: number): number {
  return data.view.getUint32(at + (capability < 32 ? 0 : HIGH), true);
}

/**
 * Have exactly `keep`, here and (through the ambient set) in programs this thread starts: a new
 * binary can bind the ports the old one could. All of `keep` must be permitted now.
 */
export function keepOnly(keep: readonly Capability[]): void {
  data.bytes.fill(0);
  for (const name of keep) {
    const i = NAMES.indexOf(name);
    for (const at of Object.values(SETS)) {
      const into = at + (i < 32 ? 0 : HIGH);
      data.view.setUint32(into, (word(at, i) | (1 << (i % 32))) >>> 0, true);
    }
  }
  header.view.setUint32(0, VERSION_3, true);
  if (libc.capset(pointer(header.at), pointer(data.at)) < 0)
    throw new SysError("capset", errno(), keep.join(" "));
  libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (const name of keep)
    if (libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, NAMES.indexOf(name), 0, 0) < 0)
      throw new SysError("prctl", errno(), `PR_CAP_AMBIENT ${name}`);
}

/**
 * Take everything but `keep` out of the bounding set, so that no program started later can gain
 * it, not even a setuid one. Needs CAP_SETPCAP: before the user is changed.
 */
export function boundBy(keep: readonly Capability[]): void {
  for (const [i, name] of NAMES.entries()) {
    if (keep.includes(name)) continue;
    if (libc.prctl(PR_CAPBSET_DROP, i, 0, 0, 0) === 0) continue;
    const why = errno();
    if (why !== "EINVAL") throw new SysError("prctl", why, `PR_CAPBSET_DROP ${name}`);
    // EINVAL: an older kernel that has not heard of this one.
  }
}
