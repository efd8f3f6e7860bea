/** Which media type to answer in (RFC 9110, 12.5.1). */

/**
 * Of the media types `offered`, in the server's order, the one Accept gives the most weight; the
 * first of equals. Undefined when it accepts none of them.
 */
export function preferred<T extends string>(
  accept: string | null,
  offered: readonly T[],
): T | undefined {
  if (accept === null || accept.trim() === "") return offered[0];
  const ranges = accept.split(",").map(readRange);
  let best: T | undefined;
  let most = 0;
  for (const type of offered) {
    const weight = weightOf(type, ranges);
    if (weight > most) [best, most] = [type, weight];
  }
  return best;
}

interface MediaRange {
  /** Type and subtype, lower case, without parameters. */
  readonly name: string;
  readonly weight: number;
}

function readRange(text: string): MediaRange {
  const [name = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const q = parameters.find((p) => p.startsWith("q="));
  if (q === undefined) return { name, weight: 1 };
  return { name, weight: /^q=(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(q) ? Number(q.slice(2)) : 0 };
}

/** The most specific range that matches decides. */
function weightOf(type: string, ranges: readonly MediaRange[]): number {
  const family = `${type.slice(0, type.indexOf("/"))}/*`;
  for (const name of [type, family, "*/*"]) {
    const found = ranges.find((range) => range.name === name);
    if (found) return found.weight;
  }
  return 0;
}
