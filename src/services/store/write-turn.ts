/** One change of a name: when it is its turn, and until enough members have it. */
import { enough } from "./enough.ts";
import type { Fallen } from "./fan-out.ts";
import { MemberError } from "./members/member.ts";
import type { Name } from "./names.ts";
import type { Still } from "./path-locks.ts";
import type { DeletedVersion, FileVersion, Version } from "./record.ts";
import type { Seat } from "./seat.ts";
import type { Shelf } from "./shelf.ts";
import { growth } from "./usage/amount.ts";
import { tooFew, type Written } from "./written.ts";

/** What goes on behind the answer: nobody else changes the name before it has ended. It never rejects. */
export type Behind = (rest: Promise<unknown>) => void;

/** Run when nobody else changes the name. `otherwise` is run in its place when our turn does not come. */
export async function inTurn<V extends Version>(
  shelf: Shelf,
  name: Name,
  otherwise: () => Promise<unknown>,
  run: (still: Still, behind: Behind) => Promise<Written<V>>,
): Promise<Written<V>> {
  const { locks } = shelf.common;
  const answer = Promise.withResolvers<Written<V>>();
  const turn = locks.hold(name.key, async (still) => {
    let rest: Promise<unknown> | undefined;
    const written = await run(still, (more) => {
      rest = more;
    });
    if (rest !== undefined) {
      // Who reads behind the answer is not to be told what was there before.
      locks.changes?.count(locks.changes.placeOf(name.key));
      answer.resolve(written);
      await rest;
    }
    return written;
  });
  shelf.busy(turn);
  turn.then(answer.resolve, answer.reject);
  try {
    return await answer.promise;
  } catch (error) {
    if (!(error instanceof MemberError)) throw error;
    await otherwise();
    return tooFew([{ error }]);
  }
}

/** What is to become of a name: the homes in `fallen` cannot take it. */
export interface Change<V> {
  readonly version: V;
  readonly before: Version | undefined;
  readonly fallen: readonly Fallen[];
}

/**
 * Have every home take the version, and promise it to those that did not, or are late when the
 * others are enough: these go on behind the answer.
 */
export async function conclude<V extends FileVersion | DeletedVersion>(
  shelf: Shelf,
  name: Name,
  { version, before, fallen }: Change<V>,
  behind: Behind,
  take: (seat: Seat) => Promise<"done" | "left out">,
): Promise<Written<V>> {
  const failures: Fallen[] = [...fallen];
  const missing = new Set(shelf.homes(name));
  const late = new Set<Seat>();
  const tasks = [...missing].map(async (seat) => {
    late.add(seat);
    try {
      const done = (await take(seat)) === "done";
      if (done) missing.delete(seat);
      return done;
    } catch (error) {
      failures.push({ seat, error });
      return false;
    } finally {
      late.delete(seat);
    }
  });
  await enough(tasks, shelf.writeQuorum, shelf.common.clock);
  if (late.size > 0) behind(Promise.all(tasks));
  const done = shelf.copies - missing.size;
  const hints = [...missing].map((seat) => ({
    name,
    member: seat.id,
    stamp: version.stamp,
    suspect: false,
  }));
  // Nobody has it: then it has never been.
  if (done === 0) return tooFew(failures);
  await shelf.common.hints.promise(hints);
  const { record } = shelf.places(name);
  const { usage, wall } = shelf.common;
  usage?.changed(shelf.number, record, name.path, growth(before, version), wall());
  return done >= shelf.writeQuorum ? { kind: "kept", version, before } : tooFew(failures);
}
