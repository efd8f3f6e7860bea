/** The names in a directory, of all members together. What is listed may have been deleted. */
import { type Entry, MemberError } from "../members/member.ts";
import type { Seat } from "../seat.ts";
import type { Shelf } from "../shelf.ts";
import { Unsure } from "./unsure.ts";

export interface Listed {
  readonly name: string;
  readonly collection: boolean;
}

/** In the order of bytes, a collection's name with a slash behind it. Rejects with `Unsure`. */
export async function listed(shelves: readonly Shelf[], path: string): Promise<readonly Listed[]> {
  const all = new Map<string, Listed>();
  const lists = await Promise.all(shelves.map((shelf) => ofShelf(shelf, path)));
  for (const { name, directory } of lists.flat(2))
    all.set(directory ? `${name}/` : name, { name, collection: directory });
  return [...all]
    .map(([key, one]) => [Buffer.from(key), one] as const)
    .sort(([a], [b]) => Buffer.compare(a, b))
    .map(([, one]) => one);
}

async function ofShelf(shelf: Shelf, path: string): Promise<(readonly Entry[])[]> {
  const at = shelf.common.layout.data(shelf.number) + (path === "/" ? "" : path);
  const failures: string[] = [];
  const lists = (seats: readonly Seat[]) =>
    Promise.all(seats.map((seat) => ofSeat(seat, at, failures)));
  const away = shelf.seats.filter((seat) => !seat.up);
  const up = await lists(shelf.seats.filter((seat) => seat.up));
  // Whatever was acknowledged is on as many members as that takes: one of them has answered.
  if (failures.length + away.length < shelf.writeQuorum) return up;
  const rest = await lists(away);
  if (failures.length >= shelf.writeQuorum) throw new Unsure(failures.join("; "));
  return [...up, ...rest];
}

async function ofSeat(seat: Seat, at: string, failures: string[]): Promise<readonly Entry[]> {
  try {
    return await seat.do((member) => member.names?.(at) ?? member.list(at));
  } catch (error) {
    // No directory, and never was: a file is there, or the name is too long for one.
    const none = error instanceof MemberError && ["conflict", "too-long"].includes(error.trouble);
    if (!none) failures.push(error instanceof Error ? error.message : String(error));
    return [];
  }
}
