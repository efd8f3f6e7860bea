import { isNewer } from "../secondary/soa.ts";
import type { Zone } from "../zone/zone.ts";
import { type Difference, zoneDifference } from "./zone-difference.ts";
import { transferSize } from "./zone-records.ts";

/** Differences kept, and bytes of all of them. */
const MOST_STEPS = 100;
const MOST_BYTES = 4 * 1024 * 1024;

/** How a zone came to be what it is: the last differences between its versions, in memory. */
export class Journal {
  #steps: Difference[] = [];

  /** A version follows another. What could not be told as a difference is not kept. In turns. */
  *follow(before: Zone, after: Zone): Generator<void, void, void> {
    const most = Math.min(MOST_BYTES, transferSize(after));
    const step = isNewer(after.serial, before.serial)
      ? yield* zoneDifference(before, after, most)
      : undefined;
    // What is kept leads to the version before, or nowhere.
    if (this.#steps.at(-1)?.to !== before.serial) this.#steps = [];
    this.#steps = step === undefined ? [] : [...this.#steps, step];
    let bytes = this.#steps.reduce((sum, one) => sum + sizeOf(one), 0);
    while (this.#steps.length > MOST_STEPS || bytes > MOST_BYTES)
      bytes -= sizeOf(this.#steps.shift() as Difference); // there is one, or the sum were 0
  }

  /** From one serial to another; undefined when that is not known. */
  between(from: number, to: number): readonly Difference[] | undefined {
    const first = this.#steps.findIndex((step) => step.from === from);
    const last = this.#steps.findLastIndex((step) => step.to === to);
    return first < 0 || last < first ? undefined : this.#steps.slice(first, last + 1);
  }

  get length(): number {
    return this.#steps.length;
  }
}

function sizeOf({ removed, added }: Difference): number {
  return removed.length + added.length;
}
