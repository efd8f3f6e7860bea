import { readdirSync, readlinkSync } from "node:fs";

/**
 * The epoll fd that Bun's loop of the main thread waits on: the first one this process opened
 * (seen in /proc/self/fd), before any of ours. Undefined when it cannot be told.
 */
export function runtimeLoop(ours: number): number | undefined {
  try {
    const fds = readdirSync("/proc/self/fd")
      .map(Number)
      .sort((a, b) => a - b);
    return fds.find((fd) => fd !== ours && linkOf(fd) === "anon_inode:[eventpoll]");
  } catch {
    return undefined; // no /proc
  }
}

function linkOf(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ""; // closed meanwhile: readdir's own fd
  }
}
