import { isLater, TIMESTAMP } from "./timestamp.ts";

/** A peer's handshakes may come this often, in ms. */
const FLOOD_MS = 20;
/** Initiations that cross on their way do so within this, in ms. */
const CROSSING_MS = 1000;

/** Which of a peer's initiations are answered. Times are ms. */
export class TheirInitiations {
  readonly #isOurKeyHigher: boolean;
  #timestamp: Uint8Array = new Uint8Array(TIMESTAMP);
  #lastAt = -Infinity;
  /** We let one go by because ours was on its way: not twice, for ours may not arrive. */
  #insisted = false;

  /** `ours`, `theirs`: public keys. */
  constructor(ours: Uint8Array, theirs: Uint8Array) {
    this.#isOurKeyHigher = isHigher(ours, theirs);
  }

  /**
   * `ourAt`: when we sent an initiation that is not answered yet. False: it is an old one, they come too often
   * (WireGuard, 5.1), or ours comes first.
   */
  isWelcome(timestamp: Uint8Array, ourAt: number | undefined, now: number): boolean {
    if (!isLater(timestamp, this.#timestamp)) return false;
    if (now - this.#lastAt < FLOOD_MS) return false;
    // Both began at once. One handshake is enough: that of the higher key. The other waits for an
    // answer too, for this is our rule and not WireGuard's.
    const isCrossing = ourAt !== undefined && now - ourAt < CROSSING_MS;
    if (!isCrossing || this.#insisted || !this.#isOurKeyHigher) return true;
    this.#insisted = true;
    return false;
  }

  answered(timestamp: Uint8Array, now: number): void {
    this.#timestamp = timestamp;
    this.#lastAt = now;
  }

  /** Both have new keys. */
  completed(): void {
    this.#insisted = false;
  }
}

function isHigher(a: Uint8Array, b: Uint8Array): boolean {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return (a[at] ?? 0) > (b[at] ?? 0);
}
