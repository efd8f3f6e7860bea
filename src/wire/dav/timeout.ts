/** The `Timeout` header of LOCK (RFC 4918, 10.7). */

/** Longer than any 32-bit count of seconds the header may hold. */
const FOREVER = Number.POSITIVE_INFINITY;

/**
 * Seconds of the first wish that can be read: `Second-3600`, `Infinite`. Undefined when there is
 * no header or none of its words is known: the server chooses, as it may in any case.
 */
export function parseTimeout(text: string | null): number | undefined {
  for (const word of (text ?? "").split(",")) {
    const wish = word.trim().toLowerCase();
    if (wish === "infinite") return FOREVER;
    const seconds = /^second-(\d{1,10})$/.exec(wish)?.[1];
    if (seconds !== undefined) return Number(seconds);
  }
  return undefined;
}

/** `Second-3600`, for a D:timeout element. */
export function emitTimeout(seconds: number): string {
  return `Second-${Math.max(0, Math.floor(seconds))}`;
}
