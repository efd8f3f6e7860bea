import { type Held, look } from "./copy.ts";
import { enough } from "./enough.ts";
import { alive } from "./expiry.ts";
import type { Fallen } from "./fan-out.ts";
import type { Name } from "./names.ts";
import { compareVersions, type Version } from "./record.ts";
import type { Seat } from "./seat.ts";
import type { Shelf } from "./shelf.ts";

/** A home, and what it has. */
export interface Looked {
  readonly seat: Seat;
  readonly held: Held;
}

/** What all homes have that answer while the others do not wait for them much longer. */
export async function lookAll(
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
    shelf.common.clock,
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
