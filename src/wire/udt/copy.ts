const native = Buffer.prototype.copy as (
  this: Uint8Array,
  target: Uint8Array,
  targetStart: number,
  start: number,
  end: number,
) => number;

/** Copies `from[start..end)` to `to[at..]`. Unlike `to.set(from.subarray(…))` it makes no object for each packet. */
export function copy(
  from: Uint8Array,
  start: number,
  end: number,
  to: Uint8Array,
  at: number,
): void {
  native.call(from, to, at, start, end);
}
