import { type Mark, NONE, STAMP_MODULUS } from "./leg.ts";

/** What this side sees when a question comes. "Own" is this side, "other" the other. */
export interface Sight {
  /** What the name says; undefined for a public name. */
  readonly marks: { readonly own: Mark; readonly other: Mark } | undefined;
  /** Which leg the name is; 0 for a public name. */
  readonly count: number;
  /** What is known of the resolver's network already. */
  readonly known:
    { readonly own: number | undefined; readonly other: number | undefined } | undefined;
  /** This side's clock in ms since 1970. */
  readonly wall: number;
}

/** Where to send the resolver, and what was learnt of it. */
export interface Step {
  readonly to:
    /** To a measuring name of a side. */
    | {
        readonly kind: "measure";
        readonly side: "own" | "other";
        readonly own: Mark;
        readonly other: Mark;
      }
    /** To the host itself, on a side: the end of the way. */
    | { readonly kind: "arrive"; readonly side: "own" | "other" };
  readonly learnt: { readonly own?: number; readonly other?: number };
}

/** A way has at most so many CNAMEs: resolvers follow 11 (unbound, BIND), and some are theirs. */
const MOST_LEGS = 7;
/** What takes longer is a lost packet or a clock that was set, not a distance. Milliseconds. */
const LONGEST_RTT = 3000;

/**
 * The next step of a resolver's way. Each side is asked twice: once so that the resolver knows the
 * way there, then for the time it takes to come back. Whoever has both numbers sends it to the nearer
 * side: at the end of a way together with the numbers, so that it need not measure the next time.
 */
export function step({ marks, count, known, wall }: Sight): Step {
  const own = rttOf(marks?.own) ?? known?.own ?? elapsed(marks?.own, wall);
  const other = rttOf(marks?.other) ?? known?.other;
  const learnt = {
    ...(own !== undefined && { own }),
    ...(marks?.other.kind === "rtt" && { other: marks.other.ms }),
  };
  const rtt = (ms: number | undefined): Mark => (ms === undefined ? NONE : { kind: "rtt", ms });
  const measure = (side: "own" | "other", begin: Mark): Step => ({
    to: {
      kind: "measure",
      side,
      own: side === "own" ? begin : rtt(own),
      other: rtt(other),
    },
    learnt,
  });
  const arrive = (side: "own" | "other"): Step => ({ to: { kind: "arrive", side }, learnt });
  if (count >= MOST_LEGS) return arrive("own");
  if (own === undefined) {
    // A start that gave no time is not tried again: it would go on like this.
    if (marks?.own.kind === "start") return arrive("own");
    return measure(
      "own",
      marks === undefined ? NONE : { kind: "start", at: Math.floor(wall) % STAMP_MODULUS },
    );
  }
  if (other === undefined) return measure("other", NONE);
  if (own <= other) return arrive("own");
  return marks === undefined ? arrive("other") : measure("other", NONE);
}

function rttOf(mark: Mark | undefined): number | undefined {
  return mark?.kind === "rtt" ? mark.ms : undefined;
}

/** The time since this side has stamped `mark`, when it can be one. */
function elapsed(mark: Mark | undefined, wall: number): number | undefined {
  if (mark?.kind !== "start") return undefined;
  const ms = (Math.floor(wall) - mark.at) % STAMP_MODULUS;
  const forward = ms < 0 ? ms + STAMP_MODULUS : ms;
  return forward <= LONGEST_RTT ? forward : undefined;
}
