// WireGuard, 6.1: all times in ms.
/** Without an answer, a handshake is begun again after this at most, and up to JITTER_MS more. */
export const REKEY_TIMEOUT_MS = 5000;
/** Whoever was sent data and has nothing to say says so after this. */
export const KEEPALIVE_TIMEOUT_MS = 10_000;
/** A key is not used any longer; what is left of it is wiped after three times that. */
export const REJECT_AFTER_MS = 180_000;
/** So that two who begin at once do not do so again. */
const JITTER_MS = 334;

/** What is to happen when, if nothing else does (WireGuard, 6.4 and 6.5). Infinity: not at all. */
export class Deadlines {
  /** Begin the handshake again: no answer came. */
  retransmit = Infinity;
  /** Say that we are there: data came, and nothing went back. */
  passive = Infinity;
  /** Begin a new handshake: data went, and nothing came back. */
  silence = Infinity;
  /** Wipe all keys: there were no new ones for long. */
  wipe = Infinity;
  /** Say something, for the NAT in between. */
  persistent = Infinity;
  readonly #keepalive: number;
  readonly #dice: (bytes: number) => Uint8Array;

  /** `keepalive`: ms between signs of life, whether there is traffic or not; 0 for none. */
  constructor(keepalive: number, dice: (bytes: number) => Uint8Array) {
    this.#keepalive = keepalive;
    this.#dice = dice;
  }

  get earliest(): number {
    return Math.min(this.retransmit, this.passive, this.silence, this.wipe, this.persistent);
  }

  /** An initiation goes out; the next one after `pause` ms. */
  initiated(now: number, pause: number): void {
    this.sent(false, now);
    this.retransmit = now + pause + this.#jitter();
  }

  /** There are new keys. */
  derived(now: number): void {
    this.wipe = now + 3 * REJECT_AFTER_MS;
  }

  /** Both have them. */
  completed(): void {
    this.retransmit = Infinity;
  }

  /** Something authentic goes out. */
  sent(isData: boolean, now: number): void {
    this.passive = Infinity;
    this.#alive(now);
    if (isData && this.silence === Infinity)
      this.silence = now + KEEPALIVE_TIMEOUT_MS + REKEY_TIMEOUT_MS + this.#jitter();
  }

  /** Something authentic came. */
  received(isData: boolean, now: number): void {
    this.silence = Infinity;
    this.#alive(now);
    if (isData && this.passive === Infinity) this.passive = now + KEEPALIVE_TIMEOUT_MS;
  }

  /** `passive` or `persistent` is over. */
  overdue(now: number): void {
    this.passive = Infinity;
    this.#alive(now);
  }

  /** Nothing is to happen any more. */
  clear(): void {
    this.retransmit = this.passive = this.silence = this.wipe = this.persistent = Infinity;
  }

  #alive(now: number): void {
    if (this.#keepalive > 0) this.persistent = now + this.#keepalive;
  }

  #jitter(): number {
    const [high = 0, low = 0] = this.#dice(2);
    return ((high << 8) | low) % JITTER_MS;
  }
}
