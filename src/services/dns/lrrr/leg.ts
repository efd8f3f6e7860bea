/** What a measuring name says, in letters and digits that no change of case can harm. */

/** What is known of one side. */
export type Mark =
  /** Nothing yet. */
  | { readonly kind: "none" }
  /** The side's own clock, in ms modulo `STAMP_MODULUS`, when it sent the resolver back to itself. */
  | { readonly kind: "start"; readonly at: number }
  /** The time the resolver took, in ms. */
  | { readonly kind: "rtt"; readonly ms: number };

/** One leg of a resolver's way. */
export interface Leg {
  readonly left: Mark;
  readonly right: Mark;
  /** Which leg of the way this is: 1 for the first. One digit. */
  readonly count: number;
  /** When it was made, in seconds since 1970. */
  readonly issued: number;
  /** Stands for the network of the resolver it was made for; `TAG_LENGTH` characters. */
  readonly tag: string;
}

export const NONE: Mark = { kind: "none" };
/** Stamps go around in two years. */
export const STAMP_MODULUS = 36 ** 7;
export const TAG_LENGTH = 5;
/** Base-36 digits that fit a mark. */
const DIGITS = /^(?:0|[1-9a-z][0-9a-z]{0,6})$/;

/**
 * `r14-s7k2m9x1-2q3f0x1-abcde`: the left RTT is 40 ms (36 + 4), right has begun at that stamp, second
 * leg. A letter tells a start from an RTT, so that no RTT is too short to be one.
 */
export function emitLeg({ left, right, count, issued, tag }: Leg): string {
  return `${emitMark(left)}-${emitMark(right)}-${count}${issued.toString(36)}-${tag}`;
}

/** The inverse of `emitLeg`; undefined for anything it does not write. */
export function parseLeg(text: string): Leg | undefined {
  const [left, right, when = "", tag = "", ...more] = text.split("-");
  const marks = [parseMark(left), parseMark(right)] as const;
  const count = Number(/^[1-9]/.exec(when)?.[0]);
  const issued = parseDigits(when.slice(1));
  if (!marks[0] || !marks[1] || more.length > 0 || !(count > 0) || issued === undefined)
    return undefined;
  if (!/^[0-9a-z]{5}$/.test(tag)) return undefined;
  return { left: marks[0], right: marks[1], count, issued, tag };
}

function emitMark(mark: Mark): string {
  switch (mark.kind) {
    case "none":
      return "n";
    case "start":
      return `s${mark.at.toString(36)}`;
    case "rtt":
      return `r${mark.ms.toString(36)}`;
  }
}

function parseMark(text = ""): Mark | undefined {
  if (text === "n") return NONE;
  const number = parseDigits(text.slice(1));
  if (number === undefined) return undefined;
  if (text.startsWith("s")) return { kind: "start", at: number };
  return text.startsWith("r") ? { kind: "rtt", ms: number } : undefined;
}

function parseDigits(text: string): number | undefined {
  return DIGITS.test(text) ? Number.parseInt(text, 36) : undefined;
}
