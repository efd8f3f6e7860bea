import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

import * as v from "valibot";

import { replaceFile } from "../../../sys/durable.ts";
import type { Manual } from "./member.ts";

const states = v.record(v.string(), v.picklist(["up", "down", "drain"]));

/** What operators have decided of records, kept in a file that outlives restarts. */
export class ManualStates {
  readonly #path: string;
  #states = new Map<string, Manual>();
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string) {
    this.#path = path;
  }

  /** Throws an Error that names the file when it is there and cannot be read. */
  static open(path: string): ManualStates {
    const opened = new ManualStates(path);
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return opened;
      throw error;
    }
    try {
      opened.#states = new Map(Object.entries(v.parse(states, JSON.parse(text))));
    } catch (cause) {
      throw new Error(`${path} is not what was written there: remove it to forget manual states`, {
        cause,
      });
    }
    return opened;
  }

  /** Of one name's record, or of the record in every name. */
  of(name: string, label: string): Manual | undefined {
    return this.#states.get(`${name} ${label}`) ?? this.#states.get(label);
  }

  /** Decide; `undefined` leaves it to the probes. Resolves when it would survive a power cut. */
  set(name: string | undefined, label: string, to: Manual | undefined): Promise<void> {
    const key = name === undefined ? label : `${name} ${label}`;
    if (to === undefined) this.#states.delete(key);
    else this.#states.set(key, to);
    // Every worker writes the same; one after another here, each time all of it.
    this.#writing = this.#writing.catch(() => {}).then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    await replaceFile(this.#path, `${JSON.stringify(Object.fromEntries(this.#states), null, 2)}\n`);
  }
}
