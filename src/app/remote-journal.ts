import { Journal } from "../observe/journal.ts";
import type { Level, LogFields } from "../observe/log.ts";
import type { Logged } from "./messages.ts";

/** What one worker may tell in a second, and at once: a storm is for its log file. */
const PER_SECOND = 20;
const AT_ONCE = 100;

/** A worker's journal: it is the supervisor's, which is told by `send`. */
export class RemoteJournal implements Pick<Journal, "add"> {
  readonly #send: (logged: Logged) => void;
  /** Makes entries as short and free of secrets as the supervisor's own. */
  readonly #short = new Journal(1);
  #credit = AT_ONCE;
  #last = 0;
  #left = 0;

  constructor(send: (logged: Logged) => void) {
    this.#send = send;
    this.#short.listen(({ time, level, message, ...fields }) => {
      this.#send({ level, message, fields, at: Date.parse(time) });
    });
  }

  add(level: Level, message: string, fields: LogFields, at: number): void {
    const earned = (Math.max(0, at - this.#last) / 1000) * PER_SECOND;
    this.#credit = Math.min(AT_ONCE, this.#credit + earned);
    this.#last = at;
    if (level === "debug") return;
    if (this.#credit < 1) {
      this.#left++;
      return;
    }
    this.#credit--;
    const more = this.#left > 0 ? { left_out: this.#left } : {};
    this.#left = 0;
    this.#short.add(level, message, { ...fields, ...more }, at);
  }
}
