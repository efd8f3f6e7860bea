/** What waits to be done, a few things at a time. */
export class Hands {
  readonly #atOnce: number;
  readonly #failed: (error: unknown) => void;
  readonly #queue: (() => Promise<void>)[] = [];
  #busy = 0;

  /** `failed` is told what something threw; the next is done all the same. */
  constructor(atOnce: number, failed: (error: unknown) => void) {
    this.#atOnce = atOnce;
    this.#failed = failed;
  }

  /** Nothing is being done. */
  get idle(): boolean {
    return this.#busy === 0;
  }
  /** How many things nobody does yet. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Do it when there is a hand free. */
  later(run: () => Promise<void>): void {
    this.#queue.push(run);
    if (this.#busy < this.#atOnce) void this.#work();
  }

  async #work(): Promise<void> {
    this.#busy++;
    for (let run; (run = this.#queue.shift()) !== undefined;)
      try {
        await run();
      } catch (error) {
        this.#failed(error);
      }
    this.#busy--;
  }
}
