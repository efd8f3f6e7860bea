import type { Keypair } from "./keypair.ts";

/** The keys a session has, at most three: the one it sends with, the one before, and one that is not proven. */
export class Keyring<K> {
  readonly #discard: (keypair: Keypair<K>) => void;
  #previous: Keypair<K> | undefined;
  #current: Keypair<K> | undefined;
  /** Of a handshake that the peer began, until something came that was sealed with it. */
  #next: Keypair<K> | undefined;

  /** `discard` is told of each that is not wanted any more, once. */
  constructor(discard: (keypair: Keypair<K>) => void) {
    this.#discard = discard;
  }

  /** To send with. */
  get current(): Keypair<K> | undefined {
    return this.#current;
  }

  /** The peer began, and was answered: it is received with, and not sent with until `prove`. */
  offer(keypair: Keypair<K>): void {
    this.#drop(this.#next);
    this.#drop(this.#previous);
    this.#previous = undefined;
    this.#next = keypair;
  }

  /** Something came that was sealed with it. True: so the peer has it, and it is sent with from now on. */
  prove(keypair: Keypair<K>): boolean {
    if (keypair !== this.#next) return false;
    this.#drop(this.#previous);
    this.#previous = this.#current;
    this.#current = keypair;
    this.#next = undefined;
    return true;
  }

  /** We began, and were answered: it is sent with from now on. */
  use(keypair: Keypair<K>): void {
    this.#drop(this.#previous);
    if (this.#next === undefined) this.#previous = this.#current;
    else {
      this.#drop(this.#current);
      this.#previous = this.#next;
      this.#next = undefined;
    }
    this.#current = keypair;
  }

  /** Forget them all. */
  wipe(): void {
    this.#drop(this.#previous);
    this.#drop(this.#current);
    this.#drop(this.#next);
    this.#previous = this.#current = this.#next = undefined;
  }

  #drop(keypair: Keypair<K> | undefined): void {
    if (keypair !== undefined) this.#discard(keypair);
  }
}
