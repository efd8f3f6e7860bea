/** Whoever comes so much later than he meant to was not there: a program that runs turns faster. µs. */
const LATE = 250_000;

/**
 * That we were away ourselves: stopped, or starved. What came in the meantime waits in our socket, so nobody is called
 * silent before it was read. Times µs.
 */
export class Absence {
  #excused = false;

  /** At `now` we look at what we meant to look at by `due`. True: we were away. Not twice in a row: that is what we are like. */
  excuses(due: number, now: number): boolean {
    this.#excused = !this.#excused && now - due > LATE;
    return this.#excused;
  }

  /** The peer was heard. */
  end(): void {
    this.#excused = false;
  }
}
