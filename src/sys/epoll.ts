import { errno, SysError } from "./errno.ts";
import { openLibc } from "./libc.ts";
import { type Block, block, pointer } from "./memory.ts";

const libc = openLibc({
  epoll_create1: { args: ["i32"], returns: "i32" },
  epoll_ctl: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  epoll_wait: { args: ["i32", "ptr", "i32", "i32"], returns: "i32" },
});

const CLOEXEC = 0o2000000;
const ADD = 1;
const DEL = 2;
const MOD = 3;

// struct epoll_event is packed on x86-64 only (sys/epoll.h): events u32, data u64.
const SIZE = process.arch === "x64" ? 12 : 16;
const DATA = process.arch === "x64" ? 4 : 8;

/** epoll(7), level-triggered; the fd is its own data. */
export class Epoll {
  readonly fd: number;
  readonly #one: Block = block(SIZE);
  readonly #ready: Block;
  readonly #max: number;

  /** `max`: how many ready fds one `wait` may tell. */
  constructor(max: number) {
    this.fd = libc.epoll_create1(CLOEXEC);
    if (this.fd < 0) throw new SysError("epoll_create1", errno(), "");
    this.#max = max;
    this.#ready = block(SIZE * max);
  }

  add(fd: number, events: number): void {
    this.#control(ADD, fd, events);
  }
  modify(fd: number, events: number): void {
    this.#control(MOD, fd, events);
  }
  remove(fd: number): void {
    this.#control(DEL, fd, 0);
  }

  #control(op: number, fd: number, events: number): void {
    this.#one.view.setUint32(0, events >>> 0, true);
    this.#one.view.setInt32(DATA, fd, true);
    if (libc.epoll_ctl(this.fd, op, fd, pointer(this.#one.at)) < 0)
      throw new SysError("epoll_ctl", errno(), `fd ${fd}`);
  }

  /** How many are ready; waits `timeout` ms at most (-1: for ever). A signal ends it with 0. */
  wait(timeout: number): number {
    const n = libc.epoll_wait(this.fd, pointer(this.#ready.at), this.#max, timeout);
    if (n >= 0) return n;
    const why = errno();
    if (why === "EINTR") return 0;
    throw new SysError("epoll_wait", why, `fd ${this.fd}`);
  }

  /** The fd of the i-th ready one. */
  fdAt(i: number): number {
    return this.#ready.view.getInt32(i * SIZE + DATA, true);
  }
  eventsAt(i: number): number {
    return this.#ready.view.getUint32(i * SIZE, true);
  }
}
