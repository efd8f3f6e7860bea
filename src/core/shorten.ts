/**
 * Forget the oldest entries of `map` until `left` are there. To be called seldom, for many at once: to
 * find the first entry again after each removal is dear, since the places of those removed are passed
 * over each time.
 */
export function shorten(map: Map<unknown, unknown>, left: number): void {
  let more = map.size - left;
  for (const key of map.keys()) {
    if (more-- <= 0) return;
    map.delete(key);
  }
}
