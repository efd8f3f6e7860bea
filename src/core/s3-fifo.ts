/** What a cache keeps. Whoever uses a value raises `visits` up to MOST_VISITS: that is all a hit costs. */
export interface Counted {
  visits: number;
}

/** More uses than this are not counted: a value then survives as many rounds of eviction. */
export const MOST_VISITS = 3;
/** Share of the budget for what is new: most of it is never asked for again. */
const ON_TRIAL = 0.1;

interface Node<K, V> {
  readonly key: K;
  readonly value: V;
  bytes: number;
  queue: Queue<K, V>;
  /** Towards the newest. */
  newer: Node<K, V> | undefined;
  older: Node<K, V> | undefined;
}

/**
 * A cache with a budget in bytes (or any other weight) that one pass over many keys does not
 * empty. Eviction is S3-FIFO (Yang et al., SOSP 2023): what is new waits in a small queue, and
 * moves to the main one only if it was used there; what was dropped from the small queue and is
 * wanted again goes to the main one at once. A hit moves nothing.
 */
export class S3Fifo<K, V extends Counted> {
  readonly budget: number;
  readonly #left: (value: V, key: K) => void;
  readonly #nodes = new Map<K, Node<K, V>>();
  readonly #trial = new Queue<K, V>();
  readonly #main = new Queue<K, V>();
  /** Keys dropped from the small queue, the longest gone first. */
  readonly #ghosts = new Set<K>();

  /** `left` is called with each value that leaves: evicted, replaced or deleted. */
  constructor(budget: number, left: (value: V, key: K) => void = () => {}) {
    this.budget = budget;
    this.#left = left;
  }

  /** A hit counts as a visit. */
  get(key: K): V | undefined {
    const value = this.#nodes.get(key)?.value;
    if (value !== undefined && value.visits < MOST_VISITS) value.visits++;
    return value;
  }

  /** Look without counting. */
  peek(key: K): V | undefined {
    return this.#nodes.get(key)?.value;
  }

  /** Keep `value`, at the cost of others if need be. False, and not kept, when it alone exceeds the budget. */
  set(key: K, value: V, bytes: number): boolean {
    this.delete(key);
    if (bytes > this.budget) return false;
    this.#makeRoom(bytes, undefined);
    const queue = this.#ghosts.delete(key) ? this.#main : this.#trial;
    value.visits = 0;
    const node: Node<K, V> = { key, value, bytes, queue, newer: undefined, older: undefined };
    queue.push(node);
    this.#nodes.set(key, node);
    return true;
  }

  /** Change what `key` weighs: it grew in place. It leaves when it no longer fits; then false. */
  resize(key: K, bytes: number): boolean {
    const node = this.#nodes.get(key);
    if (node === undefined) return false;
    if (bytes > this.budget) {
      this.delete(key);
      return false;
    }
    this.#makeRoom(bytes - node.bytes, node);
    node.queue.bytes += bytes - node.bytes;
    node.bytes = bytes;
    return true;
  }

  /** Evict until `bytes` less are kept, or nothing is. */
  shed(bytes: number): void {
    this.#makeRoom(this.budget - this.bytes + bytes, undefined);
  }

  delete(key: K): boolean {
    const node = this.#nodes.get(key);
    if (node === undefined) return false;
    this.#remove(node);
    return true;
  }

  clear(): void {
    for (const node of this.#nodes.values()) this.#remove(node);
    this.#ghosts.clear();
  }

  entries(): IterableIterator<[K, V]> {
    return this.#nodes.entries().map(([key, { value }]) => [key, value]);
  }

  get size(): number {
    return this.#nodes.size;
  }
  get bytes(): number {
    return this.#trial.bytes + this.#main.bytes;
  }

  /** Evict until `bytes` more fit, but never `spared`. */
  #makeRoom(bytes: number, spared: Node<K, V> | undefined): void {
    while (this.bytes + bytes > this.budget) {
      const onTrial = this.#trial.bytes > this.budget * ON_TRIAL || this.#main.oldest === undefined;
      if (!(onTrial ? this.#judge(spared) : this.#rotate(spared))) return;
    }
  }

  /** The oldest on trial moves on if it was used, and leaves if not. */
  #judge(spared: Node<K, V> | undefined): boolean {
    const node = this.#trial.oldest;
    if (node === undefined) return false;
    if (node === spared || node.value.visits > 0) {
      this.#trial.take(node);
      node.value.visits = 0;
      this.#main.push(node);
      return true;
    }
    this.#remove(node);
    this.#ghosts.add(node.key);
    // As many as there are values: what was wanted longer ago than that is new again.
    if (this.#ghosts.size > Math.max(this.#nodes.size, 1))
      for (const oldest of this.#ghosts) {
        this.#ghosts.delete(oldest);
        break;
      }
    return true;
  }

  /** The oldest of the main queue goes round once for each visit, then leaves. */
  #rotate(spared: Node<K, V> | undefined): boolean {
    const node = this.#main.oldest;
    if (node === undefined) return false;
    if (node !== spared && node.value.visits === 0) {
      this.#remove(node);
      return true;
    }
    if (node === spared && this.#main.newest === node && this.#trial.oldest === undefined)
      return false;
    this.#main.take(node);
    if (node.value.visits > 0) node.value.visits--;
    this.#main.push(node);
    return true;
  }

  #remove(node: Node<K, V>): void {
    node.queue.take(node);
    this.#nodes.delete(node.key);
    this.#left(node.value, node.key);
  }
}

/** First in, first out; a linked list, so that one may leave from the middle. */
class Queue<K, V> {
  bytes = 0;
  newest: Node<K, V> | undefined;
  oldest: Node<K, V> | undefined;

  push(node: Node<K, V>): void {
    node.queue = this;
    node.older = this.newest;
    node.newer = undefined;
    if (this.newest !== undefined) this.newest.newer = node;
    this.newest = node;
    this.oldest ??= node;
    this.bytes += node.bytes;
  }

  take(node: Node<K, V>): void {
    if (node.newer !== undefined) node.newer.older = node.older;
    else this.newest = node.older;
    if (node.older !== undefined) node.older.newer = node.newer;
    else this.oldest = node.newer;
    this.bytes -= node.bytes;
  }
}
