/**
 * Which sockets of workers that are no more worker `slot` of `count` serves. With SO_REUSEPORT the
 * kernel goes on giving each of them its part of the connections for as long as it is open, and
 * closing it would lose what waits in it. So they are dealt out evenly; what cannot be is
 * everybody's, and whoever is idle takes from it.
 */
export function inheritance(slots: readonly number[], slot: number, count: number): number[] {
  const left = slots.filter((s) => s >= count).sort((a, b) => a - b);
  const even = left.length - (left.length % count);
  return left.filter((_, i) => i >= even || i % count === slot);
}
