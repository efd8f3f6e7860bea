/** One body to several members at once, in lock-step: nobody gets ahead, so nothing piles up. */
import { Garbage } from "../../net/garbage.ts";
import { MemberError, STALL_MS, type Upload, within } from "./members/member.ts";
import { Patience } from "./patience.ts";
import { Checksums } from "./record.ts";
import type { Seat } from "./seat.ts";

/** Longest time for the whole to be on disk, where nobody else has it there before. */
const FINISH_MS = 6 * STALL_MS;
const garbage = new Garbage(256 * 2 ** 20);

/** A member that has not got the whole body, and why. */
export interface Fallen {
  readonly seat: Seat;
  readonly error: unknown;
}

/** Too few members are left to keep a file. */
export class TooFew extends Error {
  override name = "TooFew";
  readonly fallen: readonly Fallen[];

  constructor(fallen: readonly Fallen[]) {
    super(fallen.map(({ error }) => (error instanceof Error ? error.message : error)).join("; "));
    this.fallen = fallen;
  }
}

export interface Received {
  /** Who has the whole body on disk, under a temporary name. */
  readonly uploads: ReadonlyMap<Seat, Upload>;
  readonly fallen: readonly Fallen[];
  readonly sums: { readonly size: number; readonly sha256: string; readonly blocks: string };
}

/**
 * Send `body` to all of `seats`. One that fails, is silent for longer than the others can wait, or
 * much slower than they are, is left behind. Rejects with `TooFew` when fewer than `least` are left, and with the body's own
 * error when that breaks off; then nothing of it is anywhere. `expected`: bytes it has, where that is known.
 */
export async function fanOut(
  body: AsyncIterable<Uint8Array>,
  seats: readonly Seat[],
  temporary: string,
  least: number,
  expected?: number,
): Promise<Received> {
  const uploads = new Map<Seat, Upload>();
  const fallen: Fallen[] = [];
  const each = async (of: readonly Seat[], run: (seat: Seat) => Promise<void>): Promise<void> => {
    await Promise.all(
      of.map((seat) =>
        run(seat).catch((error: unknown) => {
          fallen.push({ seat, error });
          if (error instanceof MemberError && error.trouble === "away") seat.blame(error);
          void uploads.get(seat)?.abort();
          uploads.delete(seat);
          patience.forget(seat);
        }),
      ),
    );
    if (uploads.size < least) throw new TooFew(fallen);
  };
  const where = (seat: Seat): string => seat.member.where;
  const patience = new Patience(seats, least);
  const enough = Promise.withResolvers<void>();
  let finished = 0;
  const sums = new Checksums();
  let size = 0;
  try {
    await each(seats, async (seat) => {
      uploads.set(seat, await within(seat.member.put(temporary, expected), where(seat)));
    });
    for await (const bytes of body) {
      size += bytes.length;
      const sent = each([...uploads.keys()], async (seat) => {
        const began = performance.now();
        const written = uploads.get(seat)?.write(bytes) ?? Promise.resolve();
        await within(written, where(seat), patience.left(seat, size));
        patience.spend(seat, performance.now() - began);
      });
      sums.add(bytes); // while the members are at work
      garbage.left(bytes.length);
      await sent;
    }
    await each([...uploads.keys()], async (seat) => {
      const done = uploads.get(seat)?.finish() ?? Promise.resolve();
      // When there are enough, nobody waits for the others much longer.
      const last = enough.promise.then(() => within(done, where(seat)));
      await within(Promise.race([done, last]), where(seat), FINISH_MS);
      if (++finished === least) enough.resolve();
    });
    return { uploads, fallen, sums: sums.finish() };
  } catch (error) {
    await Promise.all(uploads.values().map((upload) => upload.abort()));
    throw error;
  }
}
