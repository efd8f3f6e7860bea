import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { close } from "./socket.ts";

const libc = openLibc({
  open: { args: ["ptr", "i32"], returns: "i32" },
  setns: { args: ["i32", "i32"], returns: "i32" },
});

const O_RDONLY = 0;
const O_CLOEXEC = 0o2000000;
const CLONE_NEWNET = 0x4000_0000;

/** Where `ip netns add` puts them (ip-netns(8)). */
const NAMED = "/run/netns";

/**
 * Another network namespace. Sockets and devices made inside stay there, wherever this thread is;
 * so one visit is enough for a life of work. Needs CAP_SYS_ADMIN.
 */
export class NetworkNamespace {
  readonly #fd: number;
  readonly #name: string;

  /** By name as `ip netns` knows it, or by path: `/proc/1234/ns/net`. Throws SysError. */
  constructor(name: string) {
    this.#name = name;
    this.#fd = openFile(name.includes("/") ? name : `${NAMED}/${name}`);
  }

  /**
   * Run `visit` with this thread inside. It must not wait for anything: whatever else ran meanwhile
   * would be inside as well. Throws what it throws.
   */
  run<T>(visit: () => T extends PromiseLike<unknown> ? never : T): T {
    const home = openFile("/proc/thread-self/ns/net");
    try {
      enter(this.#fd, this.#name);
      try {
        return visit();
      } finally {
        // Whoever could go in can come back; if not, this thread is of no use any more.
        enter(home, "home");
      }
    } finally {
      close(home);
    }
  }

  close(): void {
    close(this.#fd);
  }
}

function enter(fd: number, name: string): void {
  if (libc.setns(fd, CLONE_NEWNET) < 0) throw new SysError("setns", errno(), name);
}

function openFile(path: string): number {
  const fd = libc.open(Buffer.from(`${path}\0`), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw new SysError("open", errno(), path);
  return fd;
}
