/** Bytes of a TAI64N label (https://cr.yp.to/libtai/tai64.html): seconds, then nanoseconds, big-endian. */
export const TIMESTAMP = 12;

/** The second 1970-01-01 00:00:00 UTC; leap seconds are not counted, as WireGuard does not. */
const EPOCH = 0x4000_0000_0000_000an;
/** Times are told in steps of this many nanoseconds, so as not to tell how fast this machine is. */
const STEP = 2 ** 24;

/** Milliseconds since 1970 as a label. */
export function emitTimestamp(wall: number): Uint8Array {
  const bytes = new Uint8Array(TIMESTAMP);
  const view = new DataView(bytes.buffer);
  const seconds = Math.floor(wall / 1000);
  const nanoseconds = (wall - seconds * 1000) * 1_000_000;
  view.setBigUint64(0, EPOCH + BigInt(seconds));
  view.setUint32(8, nanoseconds - (nanoseconds % STEP));
  return bytes;
}

/** Is `a` later than `b`? Both are labels. */
export function isLater(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < TIMESTAMP; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/** The label after `label`, for a clock that stood still or went back. */
export function nextTimestamp(label: Uint8Array): Uint8Array {
  const bytes = label.slice();
  const view = new DataView(bytes.buffer);
  const nanoseconds = view.getUint32(8) + STEP;
  if (nanoseconds < 1_000_000_000) view.setUint32(8, nanoseconds);
  else {
    view.setBigUint64(0, view.getBigUint64(0) + 1n);
    view.setUint32(8, 0);
  }
  return bytes;
}

/** Times that one peer is told: each is later than all before, whatever the clock does. */
export class RisingTimestamps {
  #told: Uint8Array = new Uint8Array(TIMESTAMP);

  /** `wall`: ms since 1970. */
  take(wall: number): Uint8Array {
    const time = emitTimestamp(wall);
    this.#told = isLater(time, this.#told) ? time : nextTimestamp(this.#told);
    return this.#told;
  }
}
