import { findLabels, LOWER, MAX_LABELS, MAX_NAME } from "../../../wire/dns/name.ts";
import { type NameTree, WILDCARD } from "./name-tree.ts";

/**
 * A lower-case wire name and where its labels begin, to be walked from the right. Used again
 * and again. `bytes` has room for a wildcard in front of the longest name.
 */
export class NamePath {
  readonly bytes = new Uint8Array(MAX_NAME + 2);
  readonly starts = new Uint8Array(MAX_LABELS + 1);
  /** Bytes, the root's label included. */
  length = 0;
  /** Labels, the root not counted. */
  count = 0;

  /** Take the name at `at` of `bytes`, whatever its case. It must be whole. */
  read(bytes: Uint8Array, at: number): void {
    let to = 0;
    for (let head = bytes[at] as number; head > 0; head = bytes[at + to] as number)
      for (const next = to + head + 1; to < next; to++)
        this.bytes[to] = LOWER[bytes[at + to] as number] as number;
    this.bytes[to] = 0;
    this.#measure();
  }

  /** Take the name of a node. */
  readNode(names: NameTree, node: number): void {
    names.write(node, this.bytes, 0);
    this.#measure();
  }

  /** Take the name of the wildcard below a node, whether it is there or not. */
  readWildcard(names: NameTree, node: number): void {
    this.bytes.set(WILDCARD);
    names.write(node, this.bytes, WILDCARD.length - 1);
    this.#measure();
  }

  /** Keep the first `count` labels and put `end` in place of the others. */
  replaceEnd(count: number, end: NamePath): void {
    const at = this.startOf(count);
    for (let i = 0; i < end.length; i++) this.bytes[at + i] = end.bytes[i] as number;
    this.#measure();
  }

  /** Whether it is `origin` (lower case) or below. */
  isUnder(origin: Uint8Array, labels: number): boolean {
    if (this.count < labels) return false;
    const from = this.startOf(this.count - labels);
    if (this.length - from !== origin.length) return false;
    for (let i = 0; i < origin.length; i++) if (this.bytes[from + i] !== origin[i]) return false;
    return true;
  }

  /** Where label `index` begins, counted from the left; the root's is `count`. */
  startOf(index: number): number {
    return index === this.count ? this.length - 1 : (this.starts[index] as number);
  }

  #measure(): void {
    this.count = findLabels(this.bytes, this.starts);
    const last = this.count === 0 ? 0 : (this.starts[this.count - 1] as number);
    this.length = this.count === 0 ? 1 : last + (this.bytes[last] as number) + 2;
  }
}
