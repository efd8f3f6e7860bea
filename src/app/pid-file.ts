import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** `tern.pid` in the state directory: for scripts and for `kill`. */
export class PidFile {
  readonly #path: string;

  constructor(state: string) {
    this.#path = join(state, "tern.pid");
  }

  /** Whole at every moment; an upgraded binary writes over the old one's. */
  write(): void {
    const temporary = `${this.#path}.${process.pid}`;
    writeFileSync(temporary, `${process.pid}\n`, { mode: 0o644 });
    renameSync(temporary, this.#path);
  }

  /** Only our own: after an upgrade it is the next one's. */
  remove(): void {
    try {
      if (readFileSync(this.#path, "utf8").trim() === String(process.pid)) rmSync(this.#path);
    } catch {
      // Somebody has tidied up before us.
    }
  }
}
