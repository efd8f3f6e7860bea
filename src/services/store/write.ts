/** Keep a file, or let it be deleted: on enough members before the client hears of it. */
import { bury, commit, type Held, look } from "./copy.ts";
import { enough } from "./enough.ts";
import { alive, endOf } from "./expiry.ts";
import { type Fallen, fanOut, TooFew } from "./fan-out.ts";
import { MemberError, STALL_MS, type Trouble, type Upload, within } from "./members/member.ts";
import type { Name } from "./names.ts";
import { nextStamp } from "./next-stamp.ts";
import type { Still } from "./path-locks.ts";
import { compareVersions, type DeletedVersion, type FileVersion, type Version } from "./record.ts";
import type { Seat } from "./seat.ts";
import type { Shelf } from "./shelf.ts";
import { atMost, growth, OverQuota } from "./usage.ts";

/** Longest time in which a copy takes its name, or is deleted. Others wait for the same name. */
const COMMIT_MS = 6 * STALL_MS;

/** What a client says of a file besides its bytes. */
export interface About {
  readonly type: string | undefined;
  /** Bytes, where they are known before they come. */
  readonly size?: number | undefined;
  /** Milliseconds since 1970; undefined: now. */
  readonly mtime: number | undefined;
  /** When it is to be gone, in milliseconds since 1970; undefined: as the config has it. */
  readonly until?: number | undefined;
  /** What is to be remembered with it; asked for when the whole body has passed. */
  readonly meta?: () => Readonly<Record<string, string>> | undefined;
}

/** What became of a write. */
export type Written<V extends Version = Version> =
  /** Enough members have it. */
  | { readonly kind: "kept"; readonly version: V; readonly before: Version | undefined }
  /** `may` has said no. */
  | { readonly kind: "no" }
  /** Too few members did what was asked of them, mostly because of this. */
  | { readonly kind: "too-few"; readonly trouble: Trouble; readonly why: string };

/**
 * May this be written over what is there? Asked with the newest version in reach when nobody else
 * can change it; undefined: there is none.
 */
export type May = (newest: Version | undefined) => boolean;

interface Looked {
  readonly seat: Seat;
  readonly held: Held;
}

/** Keep `body` as the file `name`. Rejects as the body does when that breaks off. */
export async function put(
  shelf: Shelf,
  name: Name,
  body: AsyncIterable<Uint8Array>,
  about: About,
  may: May,
): Promise<Written<FileVersion>> {
  const { common, writeQuorum } = shelf;
  const homes = shelf.homes(name);
  const room = common.usage?.room(name.path) ?? Infinity;
  if (room === 0) return OVER;
  const { able, fallen: left } = await choose(shelf, homes);
  if (able.length < writeQuorum) return tooFew(left);
  const temporary = common.layout.temporary(shelf.number);
  let received;
  try {
    received = await fanOut(
      room === Infinity ? body : atMost(body, room),
      able,
      temporary,
      writeQuorum,
      about.size,
    );
  } catch (error) {
    if (error instanceof OverQuota) return OVER;
    if (error instanceof TooFew) return tooFew([...left, ...error.fallen]);
    throw error;
  }
  const { uploads, sums } = received;
  const fallen = [...left, ...received.fallen];
  const abort = () => Promise.all(uploads.values().map((upload) => upload.abort()));

  return inTurn(shelf, name, abort, async (still, behind) => {
    const readers = shelf.readers(name);
    const { looked, newest, failures } = await lookAll(shelf, name, readers);
    if (looked.length < shelf.quorumOf(readers.length)) {
      await abort();
      return tooFew([...fallen, ...failures]);
    }
    if (!may(newest)) {
      await abort();
      return { kind: "no" };
    }
    const stamp = nextStamp(shelf, name, newest);
    const meta = about.meta?.();
    const version: FileVersion = {
      kind: "file",
      stamp,
      mtime: about.mtime ?? stamp.time,
      ...endOf(shelf, name, stamp, about.until),
      ...(about.type !== undefined && { type: about.type }),
      ...(meta !== undefined && { meta }),
      ...sums,
    };
    const places = shelf.places(name);
    const change = { version, before: newest, fallen };
    return conclude(shelf, name, change, behind, async (seat) => {
      const upload: Upload | undefined = uploads.get(seat);
      if (upload === undefined) return "left out";
      const held = looked.find((one) => one.seat === seat)?.held;
      try {
        if (held === undefined) throw new MemberError("away", `${seat.member.where}: silent`);
        await seat.do((member) =>
          within(
            commit(member, places, name.key, held, version, upload, still),
            member.where,
            COMMIT_MS,
          ),
        );
        return "done";
      } catch (error) {
        await upload.abort();
        throw error;
      }
    });
  });
}

/** Let `name` be deleted. */
export async function remove(shelf: Shelf, name: Name, may: May): Promise<Written<DeletedVersion>> {
  return inTurn(
    shelf,
    name,
    async () => {},
    async (still, behind) => {
      const readers = shelf.readers(name);
      const { looked, newest, failures } = await lookAll(shelf, name, readers);
      if (looked.length < Math.max(shelf.writeQuorum, shelf.quorumOf(readers.length)))
        return tooFew(failures);
      if (!may(newest)) return { kind: "no" };
      const version: DeletedVersion = { kind: "deleted", stamp: nextStamp(shelf, name, newest) };
      const places = shelf.places(name);
      const change = { version, before: newest, fallen: failures };
      return conclude(shelf, name, change, behind, async (seat) => {
        const held = looked.find((one) => one.seat === seat)?.held;
        if (held === undefined) return "left out";
        await seat.do((member) =>
          within(bury(member, places, name.key, held, version, still), member.where, COMMIT_MS),
        );
        return "done";
      });
    },
  );
}

/** What goes on behind the answer: nobody else changes the name before it has ended. It never rejects. */
type Behind = (rest: Promise<unknown>) => void;

/** Run when nobody else changes the name. `otherwise` is run in its place when our turn does not come. */
async function inTurn<V extends Version>(
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
interface Change<V> {
  readonly version: V;
  readonly before: Version | undefined;
  readonly fallen: readonly Fallen[];
}

/**
 * Have every home take the version, and promise it to those that did not, or are late when the
 * others are enough: these go on behind the answer.
 */
async function conclude<V extends FileVersion | DeletedVersion>(
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
  await enough(tasks, shelf.writeQuorum);
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

/** The homes that can be written to; the others are told of, or left alone while they are away. */
async function choose(
  shelf: Shelf,
  homes: readonly Seat[],
): Promise<{ able: Seat[]; fallen: Fallen[] }> {
  const able: Seat[] = [];
  const fallen: Fallen[] = [];
  await Promise.all(
    homes.map(async (seat) => {
      const free = await seat.free();
      if (free > shelf.common.freeFloor) able.push(seat);
      else fallen.push({ seat, error: new MemberError("full", `${seat.member.where}: full`) });
    }),
  );
  const up = able.filter((seat) => seat.up);
  // Who seems to be away is tried all the same when there would be too few without.
  if (up.length < shelf.writeQuorum) return { able, fallen };
  return { able: up, fallen };
}

/** What all homes have that answer while the others do not wait for them much longer. */
async function lookAll(
  shelf: Shelf,
  name: Name,
  homes: readonly Seat[],
): Promise<{ looked: Looked[]; newest: Version | undefined; failures: Fallen[] }> {
  const looked: Looked[] = [];
  const failures: Fallen[] = [];
  const places = shelf.places(name);
  const up = homes.filter((seat) => seat.up);
  const least = Math.max(shelf.quorumOf(homes.length), shelf.writeQuorum);
  const asked = up.length >= least ? up : homes;
  await enough(
    asked.map(async (seat) => {
      try {
        const now = heldNow(seat, places.record, shelf);
        const held = now ?? (await seat.do((member) => look(member, places, shelf)));
        looked.push({ seat, held });
        return true;
      } catch (error) {
        failures.push({ seat, error });
        return false;
      }
    }),
    least,
  );
  let newest: Version | undefined;
  for (const { held } of looked)
    if (held.version && (newest === undefined || compareVersions(held.version, newest) > 0))
      newest = held.version;
  // Whoever answers later is not asked to take it.
  return { looked: [...looked], newest: alive(newest, shelf.common.wall()), failures };
}

/** What it has, when that can be said at once. */
function heldNow(seat: Seat, at: string, { bare }: Shelf): Held | undefined {
  const record = seat.recordNow(at);
  if (record === "absent") return bare ? undefined : { version: undefined, settled: true };
  const [version, ...others] = record?.versions ?? [];
  return version === undefined || others.length > 0 ? undefined : { version, settled: true };
}

/** What a quota has no room for. */
const OVER = { kind: "too-few", trouble: "quota", why: "the quota is used up" } as const;

/** What the client is told: that it is full or impossible only where nobody was merely away. */
function tooFew(fallen: readonly Pick<Fallen, "error">[]): {
  kind: "too-few";
  trouble: Trouble;
  why: string;
} {
  const troubles = fallen.map(({ error }) =>
    error instanceof MemberError ? error.trouble : "failed",
  );
  const order: readonly Trouble[] = ["too-long", "conflict", "full", "refused", "away", "failed"];
  const trouble = order.find((one) => troubles.includes(one)) ?? "away";
  const why = fallen
    .map(({ error }) => (error instanceof Error ? error.message : String(error)))
    .join("; ");
  return { kind: "too-few", trouble, why };
}
