/** Which version of a name is the newest, and who has it. */
import { setTimeout as wait } from "node:timers/promises";

import { type Held, look, type Looking } from "./copy.ts";
import { MemberError } from "./members/member.ts";
import type { Name, Places } from "./names.ts";
import { compareVersions, sameVersion, showStamp, stampOf, type Version } from "./record.ts";
import type { Seat } from "./seat.ts";
import type { Shelf } from "./shelf.ts";

/** One that has not answered for so long is no longer waited for alone. Milliseconds. */
const HEDGE_MS = 150;

/** What became of a search. */
export type Found =
  | {
      readonly kind: "found";
      readonly version: Version;
      /** Who has it, whoever answers soonest first. */
      readonly seats: readonly Seat[];
      /** Some who may have it were not asked, or did not answer. */
      readonly more: boolean;
    }
  | { readonly kind: "absent" }
  /** Too few answer to say: what they have may not be the newest, or be all. */
  | { readonly kind: "unsure"; readonly why: string };

export interface Search {
  /** Ask every home. */
  readonly all?: boolean;
  /** See whether there are data where a record says so. */
  readonly thorough?: boolean;
  /** Ask these too. */
  readonly also?: readonly Seat[];
  /** A record that cannot be read is none: what it said nobody will ever know. */
  readonly lenient?: boolean;
}

interface Answer {
  readonly seat: Seat;
  readonly held: Held;
}

/**
 * Ask as many homes as meet every acknowledged write. That nothing is there takes
 * the word of all who can be reached, since one may have lost its disk.
 */
export async function find(shelf: Shelf, name: Name, search: Search = {}): Promise<Found> {
  const { all, thorough, also = [], lenient = false } = search;
  const quick = all || thorough || also.length > 0 ? undefined : findNow(shelf, name);
  if (quick !== undefined) return quick;
  const readers = shelf.readers(name);
  const homes = nearest([...new Set([...readers, ...also])]);
  const quorum = shelf.quorumOf(readers.length);
  const asking = {
    places: shelf.places(name),
    bare: shelf.bare,
    thorough: thorough ?? false,
    lenient,
  };
  const least = all === true ? homes.length : quorum;
  const { answers, failures } = await ask(asking, homes, least);
  let newest = newestOf(answers);
  // A newer one has been promised: a member that has lost its disk must not hide who has it.
  const promised = newest && homes.some((seat) => isPromised(shelf, name, seat, newest));
  if (newest === undefined || promised === true) {
    const meets = answers.length >= quorum;
    const rest = homes.filter(
      (seat) => (seat.up || !meets) && !answers.some((one) => one.seat === seat),
    );
    const others = await ask(asking, rest, rest.length);
    answers.push(...others.answers);
    failures.push(...others.failures);
    newest = newestOf(answers);
  }
  const enough = answers.length >= quorum;
  if (newest === undefined) {
    // Who has not answered may be the last to have what was promised to others.
    const { hints } = shelf.common;
    const missed =
      answers.length < homes.length &&
      homes.some((seat) => hints.promised(name, seat.id) !== undefined);
    if (enough && !missed) return { kind: "absent" };
    return { kind: "unsure", why: failures.join("; ") || "who has it cannot be reached" };
  }

  const seats: Seat[] = [];
  for (const { seat, held } of answers) {
    const has = held.version !== undefined && sameVersion(held.version, newest);
    if (has) seats.push(seat);
    if ((!has || !held.settled) && shelf.homes(name).includes(seat))
      suggest(shelf, name, seat, newest);
  }
  const known = enough ? isPromised : isStale;
  if (homes.some((seat) => known(shelf, name, seat, newest)))
    return { kind: "unsure", why: `only older copies can be reached: ${failures.join("; ")}` };
  return { kind: "found", version: newest, seats, more: answers.length < homes.length };
}

/** The same, when all who have to be asked say one thing at once; undefined says nothing. */
function findNow(shelf: Shelf, name: Name): Found | undefined {
  const readers = shelf.readers(name);
  const homes = nearest(readers);
  const { record: at } = shelf.places(name);
  const quorum = shelf.quorumOf(homes.length);
  let newest: Version | undefined;
  let absent = false;
  const seats: Seat[] = [];
  for (const seat of homes) {
    const record = seat.recordNow(at);
    if (record === "absent") {
      if (newest !== undefined || shelf.bare) return undefined;
      absent = true; // if all of them say so
      continue;
    }
    const [version, ...others] = record?.versions ?? [];
    if (version === undefined || others.length > 0 || absent) return undefined;
    if (newest !== undefined && !sameVersion(version, newest)) return undefined;
    newest = version;
    seats.push(seat);
    if (seats.length === quorum) break;
  }
  if (newest === undefined) return { kind: "absent" };
  if (homes.some((seat) => isPromised(shelf, name, seat, newest))) return undefined;
  return { kind: "found", version: newest, seats, more: seats.length < homes.length };
}

/** The homes in the order they are to be asked in. */
function nearest(homes: readonly Seat[]): Seat[] {
  // What differs by less than a factor of two differs by chance; then the placement spreads the load.
  const distance = (seat: Seat): number => Math.floor(Math.log2(Math.max(seat.tookMs, 1)));
  return homes.toSorted((a, b) => Number(b.up) - Number(a.up) || distance(a) - distance(b));
}

/** Ask `count` of them, and another one for each that fails or lets us wait. */
async function ask(
  asking: Looking & { readonly places: Places; readonly lenient: boolean },
  homes: readonly Seat[],
  count: number,
): Promise<{ answers: Answer[]; failures: string[] }> {
  const answers: Answer[] = [];
  const failures: string[] = [];
  if (count === 0 || homes.length === 0) return { answers, failures };
  const enough = Promise.withResolvers<void>();
  const timer = new AbortController();
  let asked = 0;
  let open = 0;
  const next = (): void => {
    const seat = homes[asked++];
    if (seat === undefined) return;
    open++;
    seat
      .do((member) => look(member, asking.places, asking))
      .then(
        (held) => void answers.push({ seat, held }),
        (error: unknown) => {
          if (asking.lenient && error instanceof MemberError && error.trouble === "failed")
            return void answers.push({ seat, held: { version: undefined, settled: true } });
          failures.push(error instanceof Error ? error.message : String(error));
          next();
        },
      )
      .finally(() => {
        open--;
        if (answers.length >= count || open === 0) enough.resolve();
      })
      .catch(() => {}); // nothing in it fails
  };
  for (let i = 0; i < count; i++) next();
  const hedge = async (): Promise<void> => {
    while (asked < homes.length) {
      await wait(HEDGE_MS, undefined, { signal: timer.signal, ref: false });
      next();
    }
  };
  hedge().catch(() => {}); // all have answered
  await enough.promise;
  timer.abort();
  return { answers: [...answers], failures: [...failures] };
}

function newestOf(answers: readonly Answer[]): Version | undefined {
  let newest: Version | undefined;
  for (const { held } of answers)
    if (held.version && (newest === undefined || compareVersions(held.version, newest) > 0))
      newest = held.version;
  return newest;
}

function isPromised({ common }: Shelf, name: Name, seat: Seat, version?: Version): boolean {
  return version !== undefined && common.hints.hasPromised(name, seat.id, stampOf(version));
}

function isStale(shelf: Shelf, name: Name, seat: Seat, version: Version): boolean {
  return shelf.common.hints.isStale(name, seat.id, stampOf(version));
}

function suggest(shelf: Shelf, name: Name, seat: Seat, version: Version): void {
  const stamp = stampOf(version);
  shelf.common.log.debug("a copy is to be mended", {
    path: name.path,
    member: seat.id,
    version: showStamp(stamp),
  });
  shelf.common.hints.suggest({ name, member: seat.id, stamp, suspect: false });
}
