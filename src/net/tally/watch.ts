import { TimerFd } from "../../sys/timer-fd.ts";
import { type Reactor, READABLE } from "../reactor.ts";

/** So late it is seen at most that there is room again which another worker has made. */
const TICK_US = 5000;

/** Call `look` every few milliseconds, until the answer is called. */
export type Watch = (look: () => void) => () => void;

/** By the reactor; nothing ticks while nobody looks. */
export function watchBy(reactor: Reactor): Watch {
  const looks = new Set<() => void>();
  let timer: TimerFd | undefined;
  const tick = (): void => {
    for (const look of looks) look();
    if (looks.size > 0) return timer?.set(TICK_US);
    if (timer !== undefined) {
      reactor.forget(timer.fd);
      timer.close();
    }
    timer = undefined;
  };
  return (look) => {
    looks.add(look);
    if (timer === undefined) {
      timer = new TimerFd();
      timer.set(TICK_US);
      reactor.add(timer.fd, READABLE, tick);
    }
    return () => void looks.delete(look);
  };
}
