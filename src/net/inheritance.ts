/**
 * Which sockets of workers that are no more worker `slot` of `count` serves. With SO_REUSEPORT the
 * kernel goes on giving each of them its part of the traffic for as long as it is open, and
 * closing it would lose what waits in it. So they are dealt out evenly. Of what is left over a
 * connection is anybody's, and whoever is idle takes it (`shared`); but datagrams of one client
 * must go on coming to one worker.
 */
export function inheritance(
  slots: readonly number[],
  slot: number,
  count: number,
  shared: boolean,
): number[] {
  const left = slots.filter((s) => s >= count).sort((a, b) => a - b);
  const even = shared ? left.length - (left.length % count) : left.length;
  return left.filter((_, i) => i >= even || i % count === slot);
}
