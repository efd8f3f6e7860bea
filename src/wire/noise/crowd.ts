/** So many handshakes in a second are a crowd: each costs about a quarter of a millisecond. */
const MANY = 100;
const SECOND_MS = 1000;

/** Are there so many handshakes that strangers must show where they are? For one second more, too. */
export class Crowd {
  #second = -Infinity;
  #count = 0;
  #until = -Infinity;

  /** One more handshake that knows our key. True: there is a crowd. */
  arrived(now: number): boolean {
    if (now - this.#second >= SECOND_MS) {
      this.#second = now;
      this.#count = 0;
    }
    if (++this.#count > MANY) this.#until = now + SECOND_MS;
    return now < this.#until;
  }
}
