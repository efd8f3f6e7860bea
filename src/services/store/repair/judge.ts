/** From what members have to what they should have: pure. */
import type { Name } from "../names.ts";
import { compareVersions, sameVersion, stampOf, type Version } from "../record.ts";
import type { Seat } from "../seat.ts";
import type { Kept, Survey } from "./survey.ts";

/** One name of a partition. */
export interface Finding {
  readonly name: Name;
  readonly newest: Version;
  /** Homes whose record says they have it. */
  readonly holders: readonly Seat[];
  /** Homes that answer, and have nothing, something older, or something unclear. */
  readonly lacking: readonly Seat[];
  /** Homes that do not answer. */
  readonly away: readonly Seat[];
  /** Who has something of it and is no home. */
  readonly strays: readonly Seat[];
  /** It was deleted so long ago that nobody has to remember: no member anywhere has it, or can bring it back. */
  readonly forgettable: boolean;
}

export interface Rules {
  readonly homes: (name: Name) => readonly Seat[];
  /** All members of the stage. */
  readonly seats: readonly Seat[];
  /** Deletions before this are forgotten; milliseconds since 1970. */
  readonly forgetBefore: number;
}

export function judge({ names, held, listed }: Survey, rules: Rules): Finding[] {
  const findings: Finding[] = [];
  for (const [hash, name] of names) {
    const has = (seat: Seat): Kept | undefined => held.get(seat)?.get(hash);
    const newest = newestOf([...held.keys()].map(has));
    if (newest === undefined) continue;
    const homes = rules.homes(name);
    const sound = (seat: Seat): boolean => {
      const kept = has(seat);
      return kept?.kind === "kept" && kept.settled && sameVersion(kept.version, newest);
    };
    const forgettable =
      newest.kind === "deleted" &&
      stampOf(newest).time < rules.forgetBefore &&
      rules.seats.every((seat) => listed.has(seat) && (has(seat) === undefined || sound(seat)));
    findings.push({
      name,
      newest,
      holders: homes.filter(sound),
      lacking: forgettable ? [] : homes.filter((seat) => held.has(seat) && !sound(seat)),
      away: homes.filter((seat) => !held.has(seat)),
      strays: rules.seats.filter((seat) => !homes.includes(seat) && has(seat) !== undefined),
      forgettable,
    });
  }
  return findings;
}

function newestOf(all: readonly (Kept | undefined)[]): Version | undefined {
  let newest: Version | undefined;
  for (const kept of all)
    if (
      kept?.kind === "kept" &&
      (newest === undefined || compareVersions(kept.version, newest) > 0)
    )
      newest = kept.version;
  return newest;
}
