/**
 * Every number in src/sys that a C header also knows, against that header: for this machine, for
 * arm64 (compiled by Debian's cross compiler, run by qemu), and for musl.
 */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { spaceFor } from "../../src/sys/control.ts";
import { constantsOf } from "./constants.ts";
import { needs } from "./needs.ts";

interface Row {
  /** Where it stands: `epoll.ts SIZE`. */
  readonly where: string;
  /** What C calls it. */
  readonly c: string;
  readonly is: number;
}

/** Constants that are not named as in C, and sizes and offsets. */
const RENAMED: Record<string, Record<string, string>> = {
  // In brackets since they are enumerators, which no #ifdef sees.
  "bpf.ts": {
    SYS_BPF: "SYS_bpf",
    MAP_CREATE: "(BPF_MAP_CREATE)",
    MAP_UPDATE: "(BPF_MAP_UPDATE_ELEM)",
    MAP_DELETE: "(BPF_MAP_DELETE_ELEM)",
    PROG_LOAD: "(BPF_PROG_LOAD)",
    PROG_ATTACH: "(BPF_PROG_ATTACH)",
    PROG_TYPE_SK_SKB: "(BPF_PROG_TYPE_SK_SKB)",
    SK_SKB_VERDICT: "(BPF_SK_SKB_VERDICT)",
    MMAPABLE: "(BPF_F_MMAPABLE)",
  },
  "epoll.ts": {
    CLOEXEC: "EPOLL_CLOEXEC",
    ADD: "EPOLL_CTL_ADD",
    DEL: "EPOLL_CTL_DEL",
    MOD: "EPOLL_CTL_MOD",
    SIZE: "sizeof(struct epoll_event)",
    DATA: "offsetof(struct epoll_event, data)",
  },
  "socket-types.ts": { SOCK_FLAGS: "SOCK_NONBLOCK | SOCK_CLOEXEC" },
  "sockaddr.ts": {
    SOCKADDR_MAX: "sizeof(struct sockaddr_storage)",
    IN_SIZE: "sizeof(struct sockaddr_in)",
    IN6_SIZE: "sizeof(struct sockaddr_in6)",
    PATH_AT: "offsetof(struct sockaddr_un, sun_path)",
    UNIX_PATH_MAX: "sizeof(((struct sockaddr_un *)0)->sun_path)",
  },
  "socket-options.ts": {
    UNACKED: "offsetof(struct tcp_info, tcpi_unacked)",
    SACKED: "offsetof(struct tcp_info, tcpi_sacked)",
  },
  "control.ts": { HEADER: "CMSG_LEN(0)" },
  "datagram-route.ts": {
    CONTROL: "CMSG_SPACE(sizeof(struct in6_pktinfo))",
    PKTINFO: "CMSG_LEN(0)",
    IP_INTERFACE: "CMSG_LEN(offsetof(struct in_pktinfo, ipi_ifindex))",
    IP6_INTERFACE: "CMSG_LEN(offsetof(struct in6_pktinfo, ipi6_ifindex))",
  },
  "datagram-trains.ts": {
    TRAIN_CONTROL: "CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(2)",
    SEGMENT_CMSG: "CMSG_SPACE(2)",
    SEGMENT_LENGTH: "CMSG_LEN(2)",
  },
  "train-receiver.ts": { GRO_CMSG: "CMSG_SPACE(4)", GRO_SIZE: "CMSG_LEN(0)" },
  "message-headers.ts": {
    MMSGHDR: "sizeof(struct mmsghdr)",
    IOVEC: "sizeof(struct iovec)",
    NAME_LENGTH: "sizeof(struct sockaddr_in6)",
  },
  "fd-passing.ts": {
    MSGHDR: "sizeof(struct msghdr)",
    IOVEC: "sizeof(struct iovec)",
  },
  "notify-socket.ts": { SOCK_DGRAM_CLOEXEC: "SOCK_DGRAM | SOCK_CLOEXEC" },
  "inotify.ts": {
    NONBLOCK_CLOEXEC: "IN_NONBLOCK | IN_CLOEXEC",
    HEADER: "sizeof(struct inotify_event)",
  },
  "capabilities.ts": {
    VERSION_3: "_LINUX_CAPABILITY_VERSION_3",
    HIGH: "sizeof(struct __user_cap_data_struct)",
  },
  "tun.ts": {
    IFREQ: "sizeof(struct ifreq)",
    VNET_HEADER: "sizeof(struct virtio_net_hdr)",
  },
  "netlink/message.ts": {
    NLMSGHDR: "sizeof(struct nlmsghdr)",
    RTATTR: "sizeof(struct rtattr)",
    ALIGN: "NLMSG_ALIGNTO",
    NLA_TYPE_MASK: "NLA_TYPE_MASK & 0xffff",
  },
  "netlink/route-socket.ts": {
    ERROR_HEAD: "sizeof(struct nlmsgerr)",
    ...enumerators("NLMSGERR_ATTR_MSG"),
  },
  "netlink/links.ts": {
    IFINFOMSG: "sizeof(struct ifinfomsg)",
    ...enumerators("IFF_UP", "IFLA_ADDRESS", "IFLA_IFNAME", "IFLA_MTU", "IFLA_TXQLEN"),
  },
  "netlink/addresses.ts": {
    IFADDRMSG: "sizeof(struct ifaddrmsg)",
    ...enumerators("IFA_ADDRESS", "IFA_LOCAL", "IFA_FLAGS"),
  },
  "netlink/routes.ts": {
    RTMSG: "sizeof(struct rtmsg)",
    ...enumerators("RTA_DST", "RTA_OIF", "RTA_GATEWAY", "RTA_PRIORITY", "RTA_PREFSRC"),
    ...enumerators(
      "RTA_METRICS",
      "RTA_TABLE",
      "RTA_MARK",
      "RTN_UNICAST",
      "RTN_MULTICAST",
      "RTN_UNREACHABLE",
    ),
    ...enumerators("RT_TABLE_MAIN", "RT_SCOPE_UNIVERSE", "RT_SCOPE_LINK", "RT_SCOPE_NOWHERE"),
  },
  "timer-fd.ts": { TFD_FLAGS: "TFD_NONBLOCK | TFD_CLOEXEC" },
  "pipe.ts": { FLAGS: "O_NONBLOCK | O_CLOEXEC" },
  "splice.ts": { FLAGS: "SPLICE_F_MOVE | SPLICE_F_NONBLOCK" },
  "identity.ts": {
    UID: "offsetof(struct passwd, pw_uid)",
    GID: "offsetof(struct passwd, pw_gid)",
  },
};

/** In brackets, since no #ifdef sees an enumerator. */
function enumerators(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, `(${name})`]));
}

/** Numbers that stand in the code without a name, because the drawing above them names them. */
const DRAWN: Row[] = [
  { where: "sockaddr_in port", c: "offsetof(struct sockaddr_in, sin_port)", is: 2 },
  { where: "sockaddr_in addr", c: "offsetof(struct sockaddr_in, sin_addr)", is: 4 },
  { where: "sockaddr_in6 flow", c: "offsetof(struct sockaddr_in6, sin6_flowinfo)", is: 4 },
  { where: "sockaddr_in6 addr", c: "offsetof(struct sockaddr_in6, sin6_addr)", is: 8 },
  { where: "sockaddr_in6 scope", c: "offsetof(struct sockaddr_in6, sin6_scope_id)", is: 24 },
  { where: "msghdr iov", c: "offsetof(struct msghdr, msg_iov)", is: 16 },
  { where: "msghdr iovlen", c: "offsetof(struct msghdr, msg_iovlen)", is: 24 },
  { where: "msghdr control", c: "offsetof(struct msghdr, msg_control)", is: 32 },
  { where: "msghdr controllen", c: "offsetof(struct msghdr, msg_controllen)", is: 40 },
  { where: "msghdr flags", c: "offsetof(struct msghdr, msg_flags)", is: 48 },
  { where: "mmsghdr length", c: "offsetof(struct mmsghdr, msg_len)", is: 56 },
  { where: "in_pktinfo", c: "CMSG_SPACE(sizeof(struct in_pktinfo))", is: 32 },
  { where: "in_pktinfo address", c: "offsetof(struct in_pktinfo, ipi_spec_dst)", is: 4 },
  { where: "in6_pktinfo address", c: "offsetof(struct in6_pktinfo, ipi6_addr)", is: 0 },
  { where: "iovec length", c: "offsetof(struct iovec, iov_len)", is: 8 },
  { where: "cmsghdr level", c: "offsetof(struct cmsghdr, cmsg_level)", is: 8 },
  { where: "cmsghdr type", c: "offsetof(struct cmsghdr, cmsg_type)", is: 12 },
  { where: "control.ts spaceFor(1)", c: "CMSG_SPACE(4)", is: spaceFor(1) },
  { where: "control.ts spaceFor(64)", c: "CMSG_SPACE(4 * 64)", is: spaceFor(64) },
  { where: "inotify_event mask", c: "offsetof(struct inotify_event, mask)", is: 4 },
  { where: "inotify_event cookie", c: "offsetof(struct inotify_event, cookie)", is: 8 },
  { where: "inotify_event len", c: "offsetof(struct inotify_event, len)", is: 12 },
  { where: "rlimit", c: "sizeof(struct rlimit)", is: 16 },
  { where: "rlimit hard", c: "offsetof(struct rlimit, rlim_max)", is: 8 },
  { where: "linger", c: "sizeof(struct linger)", is: 8 },
  { where: "timeval", c: "sizeof(struct timeval)", is: 16 },
  { where: "timeval usec", c: "offsetof(struct timeval, tv_usec)", is: 8 },
  { where: "itimerspec first", c: "offsetof(struct itimerspec, it_value)", is: 16 },
  { where: "timespec nsec", c: "offsetof(struct timespec, tv_nsec)", is: 8 },
  { where: "ifreq flags", c: "offsetof(struct ifreq, ifr_flags)", is: 16 },
  { where: "ifinfomsg index", c: "offsetof(struct ifinfomsg, ifi_index)", is: 4 },
  { where: "ifinfomsg flags", c: "offsetof(struct ifinfomsg, ifi_flags)", is: 8 },
  { where: "ifinfomsg change", c: "offsetof(struct ifinfomsg, ifi_change)", is: 12 },
  { where: "ifaddrmsg index", c: "offsetof(struct ifaddrmsg, ifa_index)", is: 4 },
  { where: "rtmsg table", c: "offsetof(struct rtmsg, rtm_table)", is: 4 },
  { where: "rtmsg type", c: "offsetof(struct rtmsg, rtm_type)", is: 7 },
  { where: "nlmsghdr sequence", c: "offsetof(struct nlmsghdr, nlmsg_seq)", is: 8 },
  { where: "socklen_t", c: "sizeof(socklen_t)", is: 4 },
  { where: "off_t", c: "sizeof(off_t)", is: 8 },
];

/** Ours alone: no header has a word for them, or it is not libc's; glibc's struct tcp_info ends before these. */
const OURS =
  /^(bpf.ts ATTR_SIZE|bpf.ts LOG_SIZE|tcp-info.ts BYTES_ACKED|tcp-info.ts SIZE|libcrypto.ts \w+|netlink\/route-socket.ts (ROOM|TRIES)|shared-database.ts \w+|\S+ (AGAIN|GONE|REFUSED|EXHAUSTED|NONE_THERE|PEER_GONE|MAX_\w+|TRAIN_ROOM|US_PER_S|PATIENCE_MS|FIRST|MOST|BUFFER|UNIX_MODE|PRIVATE|NAME_SIZE|NAME))$/;

/** Every row for a machine of `arch`, read out of src/sys as it is now. */
async function rows(arch: string): Promise<Row[]> {
  const all: Row[] = [...DRAWN];
  const files = readdirSync(join(import.meta.dir, "../../src/sys"), {
    recursive: true,
    encoding: "utf8",
  })
    .filter((name) => name.endsWith(".ts"))
    .toSorted();
  for (const file of files) {
    const constants = await constantsOf(file, arch);
    for (const [name, value] of constants) {
      const c = RENAMED[file]?.[name] ?? name;
      const where = `${file} ${name}`;
      if (typeof value === "number" && /^[A-Z]/.test(name) && !OURS.test(where))
        all.push({ where, c, is: value });
      else for (const [key, is] of unfolded(file, name, value)) all.push({ where, c: key, is });
    }
    const lost = Object.keys(RENAMED[file] ?? {}).filter((name) => !constants.has(name));
    expect([file, lost]).toEqual([file, []]);
  }
  return all;
}

/** The objects and lists of numbers, each as the pairs C would have. */
function unfolded(file: string, name: string, value: unknown): [string, number][] {
  // any: each case below knows what its own object holds.
  const entries = Object.entries((value ?? {}) as Record<string, any>);
  switch (`${file} ${name}`) {
    case "errno.ts NAMES":
      return entries.map(([number, code]) => [code, Number(number)]);
    case "capabilities.ts NAMES":
      return entries.map(([number, code]) => [code, Number(number)]);
    case "capabilities.ts SETS":
      return entries.map(([set, at]) => [`offsetof(struct __user_cap_data_struct, ${set})`, at]);
    case "socket-options.ts OPTIONS":
      return entries.flatMap(([option, [level, number]]): [string, number][] => [
        [option, number],
        [option.startsWith("SO_") ? "SOL_SOCKET" : `IPPROTO_${option.split("_")[0]}`, level],
      ]);
    case "bpf.ts MAP_TYPES":
      return entries.map(([type, number]) => [`(BPF_MAP_TYPE_${type.toUpperCase()})`, number]);
    case "inotify.ts IN":
      return entries.map(([flag, bits]) => [`IN_${flag}`, bits]);
    default:
      return [];
  }
}

const HEADERS = `
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <pwd.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 // musl has no word for it; linux/udp.h and netinet/udp.h exclude each other
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#include <linux/icmp.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/virtio_net.h>
#ifndef TUN_F_USO4 // Linux 6.2
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif
#include <linux/sockios.h>
`;

/** What a compiler says of each expression, in order; "unknown" for a name its headers lack. */
async function asked(
  compile: readonly string[],
  run: readonly string[],
  expressions: readonly string[],
): Promise<string[]> {
  const dir = mkdtempSync(join(tmpdir(), "tern-layout-"));
  try {
    const lines = expressions.map((c) =>
      /^\w+$/.test(c)
        ? `#ifdef ${c}\n  printf("%lld\\n", (long long)(unsigned int)(${c}));\n#else\n  puts("unknown");\n#endif`
        : `  printf("%lld\\n", (long long)(${c}));`,
    );
    const file = join(dir, "layout.c");
    await Bun.write(file, `${HEADERS}int main(void) {\n${lines.join("\n")}\n  return 0;\n}\n`);
    const built = Bun.spawnSync([...compile, "-w", "-o", join(dir, "layout"), file]);
    if (!built.success) throw new Error(built.stderr.toString().slice(0, 2000));
    const { stdout } = Bun.spawnSync([...run, join(dir, "layout")]);
    return stdout.toString().trim().split("\n");
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const native = process.arch;
const has = (...programs: string[]): boolean => programs.every((p) => Bun.which(p) !== null);

describe.each([
  { machine: "this machine", arch: native, compile: ["cc"], run: [] },
  {
    machine: "arm64",
    arch: "arm64",
    compile: ["aarch64-linux-gnu-gcc", "-static"],
    run: ["qemu-aarch64"],
  },
  {
    machine: "musl",
    arch: native,
    // The kernel's headers are not musl's; they come after, so that musl's own win.
    compile: ["musl-gcc", "-static", ...kernelHeaders()],
    run: [],
  },
])("$machine", ({ arch, compile, run }) => {
  const [compiler = ""] = compile;
  needs(has(compiler, ...run), `${[compiler, ...run].join(" and ")}`)(
    "every constant, size and offset is the headers'",
    async () => {
      const all = await rows(arch);
      const said = await asked(
        compile,
        run,
        all.map((row) => row.c),
      );
      const wrong = all
        .map((row, i) => ({ ...row, said: said[i] }))
        .filter(({ is, said: c }) => c !== String(is < 0 ? is + 2 ** 32 : is));
      expect(wrong).toEqual([]);
      expect(all.length).toBeGreaterThan(200);
    },
    60_000,
  );
});

function kernelHeaders(): string[] {
  const multiarch = native === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  return ["/usr/include", `/usr/include/${multiarch}`].flatMap((dir) => ["-idirafter", dir]);
}

test("arm64 differs from x86-64 in exactly these", async () => {
  const show = async (arch: string): Promise<string[]> =>
    (await rows(arch)).map(({ where, c, is }) => `${where}: ${c} = ${is}`);
  const [x64, arm64] = [await show("x64"), new Set(await show("arm64"))];
  expect(x64.filter((row) => !arm64.has(row))).toEqual([
    "bpf.ts SYS_BPF: SYS_bpf = 321",
    "durable.ts O_TMPFILE: O_TMPFILE = 4259840",
    "epoll.ts SIZE: sizeof(struct epoll_event) = 12",
    "epoll.ts DATA: offsetof(struct epoll_event, data) = 4",
  ]);
});
