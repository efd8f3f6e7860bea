/** The loop that keeps promises: what hints name is mended as soon as it can be. */
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Hint, Hints } from "./hints/hints.ts";
import { mend } from "./mend.ts";
import { showStamp } from "./record.ts";
import type { Shelf } from "./shelf.ts";

/** How often it looks for something to do. Milliseconds. */
const LOOK_MS = 250;
/** Copies mended at once. */
const AT_ONCE = 4;
/** What processes that are no more have left is looked for this often. Milliseconds. */
const ADOPT_MS = 10_000;
/** How often leftovers are looked for, and how old they are at the least: no upload pauses for so long. */
const SWEEP_MS = 3_600_000;
const LEFT_MS = 6 * 3_600_000;

/** What a mender is told of the world. */
export interface MenderParts {
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** It looks for leftovers: one of all processes does. */
  readonly sweeps: boolean;
}

export class Mender {
  mended = 0;
  readonly #shelves: ReadonlyMap<number, Shelf>;
  readonly #hints: Hints;
  readonly #log: Log;
  readonly #parts: MenderParts;
  readonly #ending = new AbortController();
  #running: Promise<void> | undefined;

  constructor(shelves: readonly Shelf[], hints: Hints, log: Log, parts: MenderParts) {
    this.#shelves = new Map(shelves.map((shelf) => [shelf.number, shelf]));
    this.#hints = hints;
    this.#log = log;
    this.#parts = parts;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when what is in hand is done. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  /** See who is back, and mend all that is due, once. */
  async pass(): Promise<void> {
    await this.#probe();
    const due = this.#hints.due();
    const next = async (): Promise<void> => {
      for (let hint; (hint = due.shift()) !== undefined && !this.#ending.signal.aborted;)
        await this.#one(hint);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    const { clock, sweeps } = this.#parts;
    let adopted = clock.now();
    let swept = -Infinity;
    while (!signal.aborted) {
      await clock.sleep(LOOK_MS, signal).catch(() => {}); // told to end
      if (signal.aborted) return;
      try {
        if (clock.now() - adopted > ADOPT_MS) {
          adopted = clock.now();
          await this.#hints.adopt();
        }
        if (sweeps && clock.now() - swept > SWEEP_MS) {
          swept = clock.now();
          await this.#sweep();
        }
        await this.pass();
      } catch (error) {
        this.#log.error("the journal of hints cannot be written", { error });
      }
    }
  }

  async #probe(): Promise<void> {
    const seats = [...this.#shelves.values()].flatMap((shelf) => shelf.seats);
    await Promise.all(
      seats
        .filter((seat) => seat.toProbe)
        .map(async (seat) => {
          try {
            await seat.do((member) => member.probe());
            this.#log.info("a member is back", { member: seat.id });
            this.#hints.hurry(seat.id);
          } catch {} // it has been left alone for longer now
        }),
    );
  }

  /** Remove what uploads of those who were killed have left. */
  async #sweep(): Promise<void> {
    const before = this.#parts.wall() - LEFT_MS;
    for (const shelf of this.#shelves.values()) {
      const directory = shelf.common.layout.temporary(shelf.number);
      for (const { member, up } of shelf.seats) {
        if (!up) continue;
        try {
          for (const { name, mtime, directory: folder } of await member.list(directory))
            if (!folder && mtime < before) await member.remove(`${directory}/${name}`);
        } catch {} // it cannot list, or is away: what is left there is in nobody's way
      }
    }
  }

  async #one(hint: Hint): Promise<void> {
    const shelf = this.#shelves.get(hint.name.stage);
    const seat = shelf?.seats.find(({ id }) => id === hint.member);
    if (shelf === undefined || seat === undefined) return this.#hints.failed(hint);
    // One that is away is not asked again and again for each of its copies.
    if (!seat.up) return this.#hints.failed(hint);
    try {
      const done = await mend(shelf, hint.name, seat, hint.suspect);
      if (done === "not-yet") return this.#hints.failed(hint);
      if (done === "mended") {
        this.mended++;
        this.#log.info("a copy is mended", {
          path: hint.name.path,
          stage: hint.name.stage,
          member: hint.member,
          version: showStamp(hint.stamp),
        });
        this.#hints.hurry(hint.member);
      }
      await this.#hints.done(hint);
    } catch (error) {
      this.#hints.failed(hint);
      const why = error instanceof Error ? error.message : String(error);
      this.#log.debug("a copy cannot be mended yet", { path: hint.name.path, why });
    }
  }
}
