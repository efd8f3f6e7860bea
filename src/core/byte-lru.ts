/** What a cache keeps. Whoever uses a value sets `visited`: that alone is what a hit costs. */
export interface Visited {
  visited: boolean;
}

interface Node<K, V> {
  readonly key: K;
  readonly value: V;
  bytes: number;
  /** Towards the newest. */
  newer: Node<K, V> | undefined;
  older: Node<K, V> | undefined;
}

/**
 * A cache with a budget in bytes (or any other weight). Eviction is SIEVE (Zhang et al., NSDI
 * 2024): a hand goes from the oldest to the newest, spares once what was visited since it last
 * came by, and evicts the first that was not. As good as LRU or better, and a hit moves nothing.
 */
export class ByteLru<K, V extends Visited> {
  #nodes = new Map<K, Node<K, V>>();
  #newest: Node<K, V> | undefined;
  #oldest: Node<K, V> | undefined;
  #hand: Node<K, V> | undefined;
  #bytes = 0;
  readonly budget: number;
  #left: (value: V, key: K) => void;

  /** `left` is called with each value that leaves: evicted, replaced or deleted. */
  constructor(budget: number, left: (value: V, key: K) => void = () => {}) {
    this.budget = budget;
    this.#left = left;
  }

  /** A hit counts as a visit. */
  get(key: K): V | undefined {
    const value = this.#nodes.get(key)?.value;
    if (value) value.visited = true;
    return value;
  }

  has(key: K): boolean {
    return this.#nodes.has(key);
  }

  /** Keep `value`, at the cost of others if need be. False, and not kept, when it alone exceeds the budget. */
  set(key: K, value: V, bytes: number): boolean {
    this.delete(key);
    if (bytes > this.budget) return false;
    this.#makeRoom(bytes, undefined);
    const node: Node<K, V> = { key, value, bytes, newer: undefined, older: this.#newest };
    if (this.#newest) this.#newest.newer = node;
    this.#newest = node;
    this.#oldest ??= node;
    this.#nodes.set(key, node);
    this.#bytes += bytes;
    return true;
  }

  /** Change what `key` weighs: it grew in place. It leaves when it no longer fits; then false. */
  resize(key: K, bytes: number): boolean {
    const node = this.#nodes.get(key);
    if (!node) return false;
    if (bytes > this.budget) {
      this.delete(key);
      return false;
    }
    this.#makeRoom(bytes - node.bytes, node);
    this.#bytes += bytes - node.bytes;
    node.bytes = bytes;
    return true;
  }

  delete(key: K): boolean {
    const node = this.#nodes.get(key);
    if (!node) return false;
    this.#remove(node);
    return true;
  }

  clear(): void {
    for (const node of this.#nodes.values()) this.#remove(node);
  }

  keys(): IterableIterator<K> {
    return this.#nodes.keys();
  }

  get size(): number {
    return this.#nodes.size;
  }
  get bytes(): number {
    return this.#bytes;
  }

  /** Evict until `bytes` more fit, but never `spared`. */
  #makeRoom(bytes: number, spared: Node<K, V> | undefined): void {
    while (this.#bytes + bytes > this.budget) {
      let node = this.#hand ?? this.#oldest;
      while (node && (node.value.visited || node === spared)) {
        node.value.visited = false;
        node = node.newer ?? this.#oldest;
      }
      if (!node) return; // nothing is left
      this.#hand = node;
      this.#remove(node);
    }
  }

  #remove(node: Node<K, V>): void {
    if (this.#hand === node) this.#hand = node.newer;
    if (node.newer) node.newer.older = node.older;
    else this.#newest = node.older;
    if (node.older) node.older.newer = node.newer;
    else this.#oldest = node.newer;
    this.#nodes.delete(node.key);
    this.#bytes -= node.bytes;
    this.#left(node.value, node.key);
  }
}
