/** The stamp of a version that is about to be made. */
import type { Name } from "./names.ts";
import { type Stamp, stampOf, type Version } from "./record.ts";
import type { Shelf } from "./shelf.ts";

/** After all that is known: a clock that goes back changes nothing. */
export function nextStamp(shelf: Shelf, name: Name, newest: Version | undefined): Stamp {
  const { wall, writer, hints } = shelf.common;
  let time = Math.floor(wall());
  if (newest !== undefined) time = Math.max(time, stampOf(newest).time + 1);
  // Of what too few have taken nobody may have told, and it spreads all the same.
  for (const seat of shelf.homes(name)) {
    const promised = hints.promised(name, seat.id);
    if (promised !== undefined) time = Math.max(time, promised.time + 1);
  }
  return { time, by: writer };
}
