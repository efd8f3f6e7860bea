/**
 * Make one copy what it should be: the newest version there is. Whoever wants a copy mended (a
 * hint, a reader, a scrubber) comes here; doing it once more than needed does no harm.
 */
import { bury, commit, type Held, isThere, look, settle } from "./copy.ts";
import { fanOut } from "./fan-out.ts";
import { find } from "./find.ts";
import { MemberError } from "./members/member.ts";
import type { Name } from "./names.ts";
import { compareVersions, type FileVersion, sameVersion, type Version } from "./record.ts";
import type { Seat } from "./seat.ts";
import type { Shelf } from "./shelf.ts";
import { Verified } from "./verified.ts";

/** What was done to a copy. */
export type Mended =
  /** It was as it should be. */
  | "sound"
  /** It is now. */
  | "mended"
  /** Nothing is known of such a name. */
  | "nothing"
  /** It will have to wait: too few members can be reached, or it has changed meanwhile. */
  | "not-yet";

/**
 * `suspect`: look at the bytes too, not only at the record. `also` may have it besides its homes.
 * Rejects when a member fails.
 */
export async function mend(
  shelf: Shelf,
  name: Name,
  seat: Seat,
  suspect: boolean,
  also: readonly Seat[] = [],
): Promise<Mended> {
  // It has been promised a copy, and has been taken out of service since.
  if (!shelf.homes(name).includes(seat)) return "sound";
  const found = await find(shelf, name, { all: true, thorough: true, also, lenient: true });
  if (found.kind === "unsure") return "not-yet";
  if (found.kind === "absent") return "nothing";
  const { version } = found;
  const places = shelf.places(name);
  const { member } = seat;
  const held = await seat.do(() => lookAgain(shelf, name, seat));
  const newer = held.version && compareVersions(held.version, version) > 0;
  if (newer === true) return "not-yet";
  if (held.version && sameVersion(held.version, version)) {
    const whole = !suspect || (await isThere(member, places, version));
    if (whole && held.settled) return "sound";
    if (whole)
      return shelf.common.locks.hold(name.key, async (still) => {
        const now = await lookAgain(shelf, name, seat);
        if (now.version === undefined || !sameVersion(now.version, version)) return "not-yet";
        await settle(member, places, name.key, version, still);
        return "mended";
      });
  }
  if (version.kind === "deleted")
    return shelf.common.locks.hold(name.key, async (still) => {
      const now = await lookAgain(shelf, name, seat);
      const done = await bury(member, places, name.key, now, version, still);
      return done === "done" ? "mended" : "not-yet";
    });
  // Nothing vouches for bytes without a record: they are copied only as a version of ours.
  if (version.kind === "bare") return "nothing";
  const others = found.seats.filter((one) => one !== seat);
  return copyTo(shelf, name, seat, version, others);
}

async function copyTo(
  shelf: Shelf,
  name: Name,
  seat: Seat,
  version: FileVersion,
  from: readonly Seat[],
): Promise<Mended> {
  const source = new Verified(shelf, name, version, from);
  const { layout, locks } = shelf.common;
  try {
    await source.prepare(0);
    const body = source.bytes(0, version.size);
    const { uploads, sums } = await fanOut(body, [seat], layout.temporary(shelf.number), 1);
    const upload = uploads.get(seat);
    if (upload === undefined) return "not-yet";
    if (sums.sha256 !== version.sha256) {
      await upload.abort();
      throw new MemberError("failed", `${name.path}: what was read is not what was written`);
    }
    return await locks.hold(name.key, async (still) => {
      const now = await lookAgain(shelf, name, seat);
      const places = shelf.places(name);
      const done = await commit(seat.member, places, name.key, now, version, upload, still);
      return done === "done" ? "mended" : "not-yet";
    });
  } finally {
    source.close();
  }
}

/** What the copy is now. A record that cannot be read is none: it is about to be written anew. */
async function lookAgain(shelf: Shelf, name: Name, { member }: Seat): Promise<Held> {
  try {
    return await look(member, shelf.places(name), { bare: shelf.bare, thorough: true });
  } catch (error) {
    if (!(error instanceof MemberError) || error.trouble !== "failed") throw error;
    return { version: undefined as Version | undefined, settled: true };
  }
}
