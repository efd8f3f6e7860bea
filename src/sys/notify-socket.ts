import { FFIType } from "bun:ffi";

import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { address, block, pointer } from "./memory.ts";
import { AF_UNIX, emit } from "./sockaddr.ts";
import { close } from "./socket.ts";

const libc = openLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  sendto: { args: ["i32", "ptr", "usize", "i32", "ptr", "u32"], returns: FFIType.i64_fast },
  clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
});

const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const SOL_SOCKET = 1;
const SO_SNDTIMEO = 21;
const CLOCK_MONOTONIC = 1;

/** systemd reads at once; a queue that stays full longer than this means it is not there. */
const PATIENCE_MS = 250;

/** What can be told (sd_notify(3)). Several go in one message. */
export interface News {
  /** Start-up or a reload is done. */
  readonly ready?: true;
  /** A reload has begun; ends with `ready`. Type=notify-reload. */
  readonly reloading?: true;
  readonly stopping?: true;
  /** One line for `systemctl status`. */
  readonly status?: string;
  /** The process that is the service from now on: an upgraded binary. */
  readonly mainPid?: number;
  /** Still alive; see `watchdogInterval`. */
  readonly watchdog?: true;
}

/**
 * Tell the service manager. False when there is none ($NOTIFY_SOCKET is unset) or it does not
 * listen: never a reason to stop serving. `path` "@name" is an abstract socket.
 */
export function sdNotify(news: News, path = process.env["NOTIFY_SOCKET"]): boolean {
  if (path === undefined || path === "") return false;
  const to = emit(
    path.startsWith("@") ? { kind: "abstract", name: path.slice(1) } : { kind: "unix", path },
  );
  if (to === undefined) return false;
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) throw new SysError("socket", errno(), path);
  const patience = block(16); // struct timeval
  patience.view.setBigInt64(8, BigInt(PATIENCE_MS * 1000), true);
  libc.setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, pointer(patience.at), 16);
  const text = new TextEncoder().encode(message(news));
  const sent = libc.sendto(
    fd,
    pointer(address(text)),
    text.length,
    MSG_NOSIGNAL,
    pointer(address(to)),
    to.length,
  );
  close(fd);
  return Number(sent) === text.length;
}

/** The lines of sd_notify(3). A newline in `status` would begin another, so it becomes a space. */
function message(news: News): string {
  const lines: string[] = [];
  if (news.mainPid !== undefined) lines.push(`MAINPID=${news.mainPid}`);
  if (news.ready) lines.push("READY=1");
  // systemd tells an old READY from the one that ends this reload by the time.
  if (news.reloading) lines.push("RELOADING=1", `MONOTONIC_USEC=${monotonicMicros()}`);
  if (news.stopping) lines.push("STOPPING=1");
  if (news.watchdog) lines.push("WATCHDOG=1");
  if (news.status !== undefined) lines.push(`STATUS=${news.status.replaceAll(/[\r\n]+/g, " ")}`);
  return lines.map((line) => `${line}\n`).join("");
}

/** CLOCK_MONOTONIC in microseconds: what systemd compares with; performance.now() has another zero. */
export function monotonicMicros(): bigint {
  const time = block(16); // struct timespec
  libc.clock_gettime(CLOCK_MONOTONIC, pointer(time.at));
  return time.view.getBigInt64(0, true) * 1_000_000n + time.view.getBigInt64(8, true) / 1000n;
}

/**
 * How often to say `watchdog`, in milliseconds: half of what systemd allows, as sd_watchdog_enabled(3)
 * advises. Undefined when it does not watch, or watches another process.
 */
export function watchdogInterval(
  env: Readonly<Record<string, string | undefined>> = process.env,
  pid = process.pid,
): number | undefined {
  const micros = Number(env["WATCHDOG_USEC"]);
  const watched = env["WATCHDOG_PID"];
  if (!Number.isSafeInteger(micros) || micros <= 0) return undefined;
  if (watched !== undefined && watched !== String(pid)) return undefined;
  return Math.max(1, micros / 2000);
}
