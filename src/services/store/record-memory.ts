/** Records that were read of late, for as long as their files stay as they are. */
import type { Near } from "./members/member.ts";
import { type CopyRecord, parseRecord } from "./record.ts";

/** Records that are remembered, of one member. */
const MAX_RECORDS = 4096;
/** Longer ones, of long files, are read whenever they are wanted. Bytes. */
const MAX_BYTES = 16 * 1024;
/**
 * Clocks of file systems tick in hundredths of a second, some in seconds: two changes in one tick
 * look like one. What is read so long after its mark was first seen is what the mark stands for.
 * Milliseconds.
 */
const SETTLED_MS = 2500;

interface Remembered {
  readonly mark: string;
  /** When the mark was first seen. */
  readonly since: number;
  /** Undefined until it is settled. */
  readonly record: CopyRecord | undefined;
}

export class RecordMemory {
  readonly #now: () => number;
  readonly #remembered = new Map<string, Remembered>();

  /** `now` in milliseconds, never going back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The record at `at`; undefined: it cannot be had at once, or is damaged. */
  read(near: Near, at: string): CopyRecord | "absent" | undefined {
    const known = this.#remembered.get(at);
    if (known?.record !== undefined && near.mark(at) === known.mark) return known.record;
    const seen = near.read(at, MAX_BYTES);
    if (seen === undefined || seen === "absent") {
      this.#remembered.delete(at);
      return seen;
    }
    const record = parseRecord(seen.bytes);
    const now = this.#now();
    const since = known?.mark === seen.mark ? known.since : now;
    this.#remember(at, {
      mark: seen.mark,
      since,
      record: now - since >= SETTLED_MS ? record : undefined,
    });
    return record;
  }

  #remember(at: string, one: Remembered): void {
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size >= MAX_RECORDS && oldest !== undefined)
      this.#remembered.delete(oldest);
    this.#remembered.set(at, one);
  }
}
