/**
 * Is the figure at `path` one that says how much there is now, among those of a service whose `levels`
 * say how their paths end? `["a", "cache", "bytes"]` ends as `cache.bytes` does, as `bytes`, and as `a.*.bytes`.
 */
export function isLevel(levels: readonly string[], path: readonly string[]): boolean {
  return levels.some((end) => {
    const parts = end.split(".");
    const last = path.slice(-parts.length);
    return (
      last.length === parts.length && parts.every((part, i) => part === "*" || part === last[i])
    );
  });
}
