/** One partition: what its names should have on every member, and have not, is put right. */
import { isThere, look } from "../copy.ts";
import { hasExpired } from "../expiry.ts";
import { mend } from "../mend.ts";
import type { Name } from "../names.ts";
import { compareStamps, sameVersion, showStamp, stampOf, type Version } from "../record.ts";
import type { Seat } from "../seat.ts";
import type { Shelf } from "../shelf.ts";
import { remove } from "../write.ts";
import { type Finding, judge } from "./judge.ts";
import { type Pace, paced } from "./pace.ts";
import { list, type Listed, survey } from "./survey.ts";
import { emptyTally, type Tally } from "./tally.ts";

/** Names attended to at once. */
const AT_ONCE = 4;

export interface Duty {
  /** Read all data, at this pace. */
  readonly deep?: Pace | undefined;
  /** Say what there would be to do, and do nothing. */
  readonly dry?: boolean;
  /** See to copies of this member only. */
  readonly only?: string | undefined;
  /** As if copies belonged there. */
  readonly homes?: ((name: Name) => readonly Seat[]) | undefined;
  /** Remove copies where none belongs. */
  readonly clear?: boolean;
  /** Deletions before this are forgotten; milliseconds since 1970. */
  readonly forgetBefore: number;
  /** Keys are targets as they were sent. */
  readonly raw: boolean;
  /** Leave the rest of the partition. */
  readonly signal: AbortSignal;
}

/** Partitions found to be right, by what their members listed then: as long as that is the same, so are they. */
export class Known {
  readonly #known = new Map<string, { readonly digests: string; readonly until: number }>();

  /** `wall` in milliseconds since 1970. */
  isSound(shelf: Shelf, partition: number, listed: ReadonlyMap<Seat, Listed>, wall: number) {
    const digests = digestsOf(shelf, listed);
    const known = this.#known.get(`${shelf.number} ${partition}`);
    return digests !== undefined && known?.digests === digests && wall < known.until;
  }

  /** `until`: then there is something to do without any change. */
  learn(shelf: Shelf, partition: number, listed: ReadonlyMap<Seat, Listed>, until: number): void {
    const digests = digestsOf(shelf, listed);
    if (digests !== undefined) this.#known.set(`${shelf.number} ${partition}`, { digests, until });
  }
}

/** Undefined: one of them did not list. */
function digestsOf({ standing, seats }: Shelf, listed: ReadonlyMap<Seat, Listed>) {
  const parts = [[...standing.out].join(",")];
  for (const seat of seats) {
    const one = listed.get(seat);
    if (one === undefined || typeof one === "string" || one.digest === undefined) return undefined;
    parts.push(one.digest);
  }
  return parts.join(" ");
}

/** Look at one partition and put it right. `known`: skip what has not changed since it was right. */
export async function visit(
  shelf: Shelf,
  partition: number,
  duty: Duty,
  known?: Known,
): Promise<Tally> {
  const tally = emptyTally();
  const began = shelf.common.wall();
  const listed = await list(shelf, partition, shelf.seats);
  const wall = shelf.common.wall();
  const { usage } = shelf.common;
  const isCounted = usage?.isCounted(shelf.number, partition) ?? true;
  if (known?.isSound(shelf, partition, listed, wall) === true && isCounted && !duty.deep)
    return tally;
  const surveyed = await survey(shelf, listed, duty.raw);
  const findings = judge(surveyed, {
    homes: duty.homes ?? ((name) => shelf.homes(name)),
    seats: shelf.seats,
    forgetBefore: duty.forgetBefore,
  });
  tally.names = findings.length + surveyed.nameless;
  tally.lost = surveyed.nameless;
  const before = duty.deep?.taken ?? 0;
  const rest = [...findings];
  const next = async (): Promise<void> => {
    for (let finding; !duty.signal.aborted && (finding = rest.pop()) !== undefined;)
      await attend(shelf, finding, duty, tally);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  // Only who has heard of all names knows how much there is.
  if (shelf.seats.every((seat) => surveyed.listed.has(seat)))
    usage?.count(
      shelf.number,
      partition,
      findings.flatMap((one) => amountOf(one, wall)),
      began,
    );
  tally.read = (duty.deep?.taken ?? 0) - before;
  if (
    tally.owed + tally.lost + tally.lacking + tally.strays + tally.forgotten === 0 &&
    !duty.signal.aborted
  ) {
    const ages = findings.flatMap(({ newest }) =>
      newest.kind === "deleted"
        ? [stampOf(newest).time + (wall - duty.forgetBefore)]
        : newest.kind === "file" && newest.until !== undefined
          ? [newest.until]
          : [],
    );
    known?.learn(shelf, partition, listed, Math.min(Infinity, ...ages));
  }
  return tally;
}

function amountOf({ name: { path }, newest }: Finding, wall: number) {
  if (newest.kind === "deleted" || hasExpired(newest, wall)) return [];
  return [{ path, size: newest.size }];
}

async function attend(shelf: Shelf, finding: Finding, duty: Duty, tally: Tally): Promise<void> {
  const { name, newest, holders, lacking, away, strays } = finding;
  const mine = (seat: Seat): boolean => duty.only === undefined || duty.only === seat.id;
  if (duty.dry !== true && hasExpired(newest, shelf.common.wall())) {
    // What is written meanwhile stays; who cannot be reached now is owed the deletion.
    await remove(shelf, name, (now) => now?.kind === "deleted" && hasSameStamp(now, newest));
    return;
  }
  if (finding.forgettable) {
    if (duty.dry === true || (await forget(shelf, name, newest))) tally.forgotten++;
    return;
  }
  const wanting = lacking.filter(mine);
  const sound = new Set(holders);
  if (duty.deep !== undefined && newest.kind !== "bare")
    for (const seat of holders.filter(mine)) {
      const whole = await isThere(paced(seat.member, duty.deep), shelf.places(name), newest).catch(
        () => undefined, // it went away
      );
      if (whole !== false) continue;
      sound.delete(seat);
      // What has been replaced meanwhile is not damaged.
      if (duty.dry !== true && (await isReplaced(shelf, name, seat, newest))) continue;
      tally.damaged++;
      const why = newest.kind === "deleted" ? "they were deleted" : "they are not what was written";
      tell(shelf, name, seat, newest, `its bytes are not right: ${why}`);
      wanting.push(seat);
    }
  tally.lacking += lacking.filter(mine).length;
  tally.owed += away.filter(mine).length;
  tally.strays += strays.length;
  const size = newest.kind === "deleted" ? 0 : newest.size;
  for (const seat of wanting) {
    if (duty.dry === true) {
      tally.owed++;
      tally.moved += size;
      continue;
    }
    if (await mended(shelf, name, seat, strays)) {
      await redeem(shelf, name, seat, newest);
      sound.add(seat);
      tally.mended++;
      tally.moved += size;
    } else tally.owed++;
  }
  const others = [...strays, ...away];
  if (sound.size === 0 && newest.kind === "file" && others.length === 0) {
    tally.lost++;
    shelf.common.log.error("no whole copy can be had", {
      path: name.path,
      stage: shelf.number,
      version: showStamp(stampOf(newest)),
    });
  }
  if (duty.clear !== true || duty.dry === true) return;
  for (const seat of strays) if (await cleared(shelf, name, seat, newest)) tally.cleared++;
}

function hasSameStamp(a: Version, b: Version): boolean {
  return compareStamps(stampOf(a), stampOf(b)) === 0;
}

async function isReplaced(shelf: Shelf, name: Name, seat: Seat, version: Version) {
  const { version: now } = await look(seat.member, shelf.places(name), shelf);
  return now !== undefined && !sameVersion(now, version);
}

/** Is the copy right now? */
async function mended(shelf: Shelf, name: Name, seat: Seat, also: readonly Seat[]) {
  try {
    const done = await mend(shelf, name, seat, true, also);
    if (done === "mended") tell(shelf, name, seat, undefined, "made whole again");
    return done === "mended" || done === "sound";
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    shelf.common.log.debug("a copy cannot be mended yet", { path: name.path, why });
    return false;
  }
}

/** Remove a copy from where none belongs, once all homes have it. */
async function cleared(shelf: Shelf, name: Name, stray: Seat, newest: Version): Promise<boolean> {
  const { common } = shelf;
  const places = shelf.places(name);
  try {
    return await common.locks.hold(name.key, async (still) => {
      const homes = shelf.homes(name);
      if (homes.includes(stray) || shelf.standing.before !== undefined) return false;
      for (const seat of homes) {
        const { version, settled } = await seat.do((member) =>
          look(member, places, { bare: shelf.bare, thorough: true }),
        );
        if (version === undefined || !settled || !sameVersion(version, newest)) return false;
      }
      still();
      // Data without a record are nobody's; a record without data is not read where none belongs.
      await stray.do((member) => member.remove(places.data));
      await stray.do((member) => member.remove(places.record));
      return true;
    });
  } catch {
    return false; // next time
  }
}

/**
 * Forget that something was deleted, on one member after the other: somebody who writes it at this
 * moment elsewhere, without our lock, can lose one record at most, and that is mended.
 */
async function forget(shelf: Shelf, name: Name, deletion: Version): Promise<boolean> {
  const places = shelf.places(name);
  try {
    return await shelf.common.locks.hold(name.key, async (still) => {
      for (const seat of shelf.seats) {
        const { version } = await seat.do((member) => look(member, places, shelf));
        if (version === undefined) continue;
        if (!sameVersion(version, deletion)) return false;
        still();
        await seat.do((member) => member.remove(places.data));
        await seat.do((member) => member.remove(places.record));
      }
      for (const seat of shelf.seats) await redeem(shelf, name, seat, deletion);
      return true;
    });
  } catch {
    return false; // next time
  }
}

/** What was promised of this version is done: else it would seem that something newer has been lost. */
async function redeem(
  { common }: Shelf,
  name: Name,
  { id }: Seat,
  version: Version,
): Promise<void> {
  await common.hints.done({ name, member: id, stamp: stampOf(version), suspect: false });
}

function tell(
  { common, number }: Shelf,
  { path }: Name,
  seat: Seat,
  version: Version | undefined,
  what: string,
): void {
  const about = { path, stage: number, member: seat.id };
  if (version === undefined) return common.log.info(`a copy is ${what}`, about);
  const stamp = showStamp(stampOf(version));
  common.log.warn("a copy is damaged", { ...about, version: stamp, why: what });
}
