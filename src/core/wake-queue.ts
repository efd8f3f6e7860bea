/** Somebody who wants to be woken. Its fields belong to the queue it is in. */
export interface Sleeper {
  /** When, on the queue's own clock; Infinity: not at all. */
  wakeAt: number;
  /** Its place in the queue; -1 when it is in none. */
  place: number;
}

/** Who is to be woken next: a heap that knows where everybody is, so that changing one's mind is cheap. */
export class WakeQueue<S extends Sleeper> {
  readonly #heap: S[] = [];

  get size(): number {
    return this.#heap.length;
  }
  /** The one to be woken first, if anybody. */
  get first(): S | undefined {
    return this.#heap[0];
  }
  /** When that is. */
  get wakeAt(): number {
    return this.#heap[0]?.wakeAt ?? Infinity;
  }

  /** Wake `one` at `at`; this replaces whatever was said before. */
  set(one: S, at: number): void {
    if (one.place < 0) {
      if (at === Infinity) return;
      one.wakeAt = at;
      this.#heap.push(one);
      this.#up(this.#heap.length - 1, one);
      return;
    }
    if (at === Infinity) return this.delete(one);
    const before = one.wakeAt;
    one.wakeAt = at;
    if (at < before) this.#up(one.place, one);
    else if (at > before) this.#down(one.place, one);
  }

  delete(one: S): void {
    const { place } = one;
    if (place < 0) return;
    one.place = -1;
    one.wakeAt = Infinity;
    const last = this.#heap.pop();
    if (last === undefined || last === one) return;
    this.#up(place, last);
    this.#down(last.place, last);
  }

  /** `one` stands at `i` or above. */
  #up(i: number, one: S): void {
    const heap = this.#heap;
    let at = i;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = heap[above] as S; // above is inside
      if (other.wakeAt <= one.wakeAt) break;
      heap[at] = other;
      other.place = at;
      at = above;
    }
    heap[at] = one;
    one.place = at;
  }

  /** `one` stands at `i` or below. */
  #down(i: number, one: S): void {
    const heap = this.#heap;
    let at = i;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if ((heap[below + 1]?.wakeAt ?? Infinity) < (heap[below] as S).wakeAt) below++;
      const other = heap[below] as S; // below is inside
      if (other.wakeAt >= one.wakeAt) break;
      heap[at] = other;
      other.place = at;
      at = below;
    }
    heap[at] = one;
    one.place = at;
  }
}
