/** Which readiness a handler is told of; a set of EPOLL bits. */
export const READABLE = 0x001;
export const WRITABLE = 0x004;
/** Error or hang-up; always told, never asked for. */
export const BROKEN = 0x018;

/** Asked for together with the others: tell only what is new, not what was left where it is. */
export const EDGE = 2 ** 31;

/** The peer will send no more (EPOLLRDHUP). */
export const HALF_CLOSED = 0x2000;

/**
 * Called with the bits that are ready, and of which fd: one function may serve many. Must not
 * block; a throw is reported and costs only this fd.
 */
export type Ready = (events: number, fd: number) => void;

/**
 * One epoll loop per thread, with Bun's own loop nested in it: both wait in one system call,
 * and neither polls. Level-triggered unless EDGE is asked for. Starts with the first fd, ends with
 * the last (or with the last who wants to see its turns), so that an idle test process can exit.
 */
export interface Reactor {
  add(fd: number, events: number, ready: Ready): void;
  modify(fd: number, events: number): void;
  /** Another is told from now on, of the same events. */
  handOver(fd: number, ready: Ready): void;
  remove(fd: number): void;
  /** As `remove`, for an fd that is closed at once: closing takes it out of epoll. */
  forget(fd: number): void;
  /** Promises or sockets of the runtime are at work: let it run before the next wait. */
  nudge(): void;
  /**
   * Run `visit` at the end of every turn that had something ready, and at least every 50 ms; the
   * answer ends it. Turns go on without any fd as long as somebody wants them.
   */
  onTurn(visit: (now: number) => void): () => void;
  /**
   * Call `run` when all that is ready now has been told, once however often it is asked for. False:
   * nothing is being told just now, nobody would be called.
   */
  atEnd(run: () => void): boolean;
  /** performance.now(), read once per turn: good to a millisecond, free to ask. */
  readonly now: number;
}
