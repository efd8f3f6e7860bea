import { combined, json, localTime } from "./access-line.ts";
import type { AccessEntry, AccessLog } from "./access-log.ts";
import type { Calendar } from "./calendar.ts";

/** Where lines go; a `LogFile`, or an array in a test. */
export interface Lines {
  write(text: string): void;
  flush(): void;
  reopen(): void;
  close(): void;
}

/** Formats entries and hands them to a file, which buffers, rotates and survives. */
export class AccessWriter implements AccessLog {
  readonly #file: Lines;
  readonly #clock: Calendar;
  readonly #json: boolean;
  #second = Number.NaN;
  #time = "";

  constructor(file: Lines, format: "combined" | "json", clock: Calendar = Date) {
    this.#file = file;
    this.#clock = clock;
    this.#json = format === "json";
  }

  write(entry: AccessEntry): void {
    const now = this.#clock.now();
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second; // written once a second, not once a request
      this.#time = this.#json
        ? new Date(now).toISOString().slice(0, -"000Z".length)
        : localTime(now);
    }
    if (!this.#json) return this.#file.write(combined(entry, this.#time));
    const ms = String(Math.floor(now) % 1000).padStart(3, "0");
    this.#file.write(json(entry, `${this.#time}${ms}Z`));
  }

  flush(): void {
    this.#file.flush();
  }
  reopen(): void {
    this.#file.reopen();
  }
  close(): void {
    this.#file.close();
  }
}
