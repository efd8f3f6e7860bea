import type { Log } from "../observe/log.ts";
import { type News, sdNotify, watchdogInterval } from "../sys/notify-socket.ts";

/** What the service manager is told. Without one every call is nothing. */
export class ServiceManager {
  readonly #log: Log;
  #watchdog: ReturnType<typeof setInterval> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  tell(news: News): void {
    try {
      sdNotify(news);
    } catch (error) {
      this.#log.warn("the service manager cannot be told", { error });
    }
  }

  /** Sign of life, as often as it asks for; it restarts a supervisor that hangs. */
  watch(): void {
    const interval = watchdogInterval();
    if (interval === undefined) return;
    this.tell({ watchdog: true });
    this.#watchdog = setInterval(() => this.tell({ watchdog: true }), interval);
  }

  close(): void {
    clearInterval(this.#watchdog);
  }
}
