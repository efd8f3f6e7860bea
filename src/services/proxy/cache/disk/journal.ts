import { appendFile, readFile, rename, unlink } from "node:fs/promises";

import type { Clock } from "../../../../core/clock.ts";
import type { Ledger } from "./writer.ts";

/** What workers do is gathered for so long, and then told. */
const GATHER_MS = 250;
/** How often it is read, and how long after it was taken away a worker may still be writing to it. */
const READ_MS = 1000;
const LATE_MS = 300;

const LINE =
  /^(?:w ([0-9a-f]{2}\/[0-9a-f]{14}) (\d{1,15}) (\d{1,15})|([ud]) ([0-9a-f]{2}\/[0-9a-f]{14}))$/;

/** Tells the worker that keeps the directory what this one does there. */
export class JournalWriter implements Ledger {
  readonly #path: string;
  #lines = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  written(name: string, bytes: number, asked: number): void {
    this.#add(`w ${name} ${bytes} ${Math.floor(asked)}\n`);
  }
  used(name: string): void {
    this.#add(`u ${name}\n`);
  }

  removed(name: string): void {
    this.#add(`d ${name}\n`);
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#flush();
  }

  #add(line: string): void {
    this.#lines += line;
    this.#timer ??= setTimeout(() => void this.#flush(), GATHER_MS);
  }

  async #flush(): Promise<void> {
    this.#timer = undefined;
    const lines = this.#lines;
    this.#lines = "";
    // What is not told is found by the next scan.
    if (lines !== "") await appendFile(this.#path, lines, { mode: 0o600 }).catch(() => {});
  }
}

/** Reads what the other workers tell, until `end`. Never rejects. */
export async function readJournal(
  path: string,
  ledger: Ledger,
  clock: Clock,
  end: AbortSignal,
): Promise<void> {
  const taken = `${path}.taken`;
  while (!end.aborted) {
    try {
      await rename(path, taken);
      await clock.sleep(LATE_MS, end);
      apply(await readFile(taken, "latin1"), ledger);
      await unlink(taken);
    } catch {} // there is none: nobody did anything; or it has ended
    await clock.sleep(READ_MS, end).catch(() => {}); // ended
  }
}

function apply(text: string, ledger: Ledger): void {
  for (const line of text.split("\n")) {
    const [, written, bytes, asked, what, name] = LINE.exec(line) ?? [];
    if (written !== undefined) ledger.written(written, Number(bytes), Number(asked));
    else if (name !== undefined && what === "u") ledger.used(name);
    else if (name !== undefined) ledger.removed(name);
  }
}
