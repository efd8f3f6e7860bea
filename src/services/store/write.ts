/** Keep a file, or let it be deleted: on enough members before the client hears of it. */
import { bury, commit } from "./copy.ts";
import { endOf } from "./expiry.ts";
import { type Fallen, fanOut, TooFew } from "./fan-out.ts";
import { lookAll } from "./look-all.ts";
import { MemberError, STALL_MS, type Upload, within } from "./members/member.ts";
import type { Name } from "./names.ts";
import { nextStamp } from "./next-stamp.ts";
import type { DeletedVersion, FileVersion, Version } from "./record.ts";
import type { Seat } from "./seat.ts";
import type { Shelf } from "./shelf.ts";
import { atMost, OverQuota } from "./usage/over-quota.ts";
import { conclude, inTurn } from "./write-turn.ts";
import { OVER, tooFew, type Written } from "./written.ts";

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

/**
 * May this be written over what is there? Asked with the newest version in reach when nobody else
 * can change it; undefined: there is none.
 */
export type May = (newest: Version | undefined) => boolean;

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
