/** Which readiness a handler is told of; a set of EPOLL bits. */
export const READABLE = 0x001;
export const WRITABLE = 0x004;
/** Error or hang-up; always told, never asked for. */
export const BROKEN = 0x018;

/** Asked for together with the others: tell only what is new, not what was left where it is. */
export const EDGE = 2 ** 31;

/** Called with the bits that are ready. Must not block; a throw is reported and costs only this fd. */
export type Ready = (events: number) => void;

/**
 * One epoll loop per thread, with Bun's own loop nested in it: both wait in one system call,
 * and neither polls. Level-triggered unless EDGE is asked for. Starts with the first fd, ends with
 * the last (or with the last who wants to see its turns), so that an idle test process can exit.
 */
export interface Reactor {
  add(fd: number, events: number, ready: Ready): void;
  modify(fd: number, events: number): void;
  remove(fd: number): void;
  /** As `remove`, for an fd that is closed at once: closing takes it out of epoll. */
  forget(fd: number): void;
  /** Promises or sockets of the runtime are at work: let it run before the next wait. */
  nudge(): void;
  /** performance.now(), read once per turn: good to a millisecond, free to ask. */
  readonly now: number;
}
