/**
 * Whoever looks after all copies while nobody asks for them: a walk over all partitions that compares
 * what members have, a slower one that reads every byte, and the jobs of the operator. In one process.
 */
import { type Job, readPage, type Scrub, type Wish, writePage } from "./job.ts";
import { Jobs } from "./jobs.ts";
import { type RepairParts, Rounds } from "./rounds.ts";
import { apply, STANDING_EVERY_MS } from "./standings.ts";
import { PARTITIONS } from "./survey.ts";
import { add, emptyTally } from "./tally.ts";
import { Known } from "./visit.ts";

/** Every partition is compared once in so long: by lists alone where nothing has changed. */
const COMPARE_MS = 3_600_000;
/** How often what is being done is written down. */
const SAVE_MS = 1000;
/** After a failure of our own. */
const AGAIN_MS = 5000;

export interface RepairFigures {
  /** Partitions looked at since the start, and the bytes read to verify copies. */
  readonly compared: number;
  readonly verified_bytes: number;
  readonly damaged: number;
  readonly mended: number;
  readonly forgotten: number;
  /** Copies owed, and names without a whole copy, as each partition was when it was last looked at. */
  readonly owed: number;
  readonly lost: number;
  /** How far the scrub is, from 0 to 1; milliseconds since 1970. */
  readonly scrub?: { readonly done: number; readonly began_at: number; readonly last_at?: number };
  readonly job?: Job;
}

export class Repair {
  readonly #parts: RepairParts;
  readonly #rounds: Rounds;
  readonly #jobs: Jobs;
  readonly #known = new Known();
  readonly #ending = new AbortController();
  #compared = 0;
  #scrub: Scrub;
  #running: Promise<unknown> | undefined;
  #savedAt = -Infinity;

  constructor(parts: RepairParts) {
    this.#parts = parts;
    this.#rounds = new Rounds(parts);
    this.#jobs = new Jobs(this.#rounds, (now) => this.#save(now));
    this.#scrub = { at: 0, began: this.#rounds.wall, tally: emptyTally() };
  }

  /** Go by the book as it is: call it before requests come. */
  async open(): Promise<void> {
    const book = await this.#parts.standings.read();
    if (book !== undefined) apply(book, this.#parts.shelves);
  }

  start(): void {
    if (this.#running !== undefined) return;
    const page = readPage(this.#parts.directory);
    this.#scrub = page.scrub ?? this.#scrub;
    const { scrub } = this.#parts;
    const each = Math.max(1, this.#rounds.partitions);
    this.#running = Promise.all([
      this.#loop(STANDING_EVERY_MS, () => this.open()),
      this.#loop(COMPARE_MS / each, () => this.#compare()),
      this.#loop(scrub.interval / each, () => this.#scrubNext()),
    ]);
    if (page.job !== undefined) this.#jobs.resume(page.job);
  }

  /** Resolves when what is in hand is done. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await Promise.all([this.#running, this.#jobs.end()]);
    if (this.#running !== undefined && this.#parts.works()) await this.#save(true);
  }

  get figures(): RepairFigures {
    const { at, began, last } = this.#scrub;
    const { read, damaged, mended, forgotten } = this.#rounds.total;
    const { job } = this.#jobs;
    return {
      compared: this.#compared,
      verified_bytes: read,
      damaged,
      mended,
      forgotten,
      ...this.#rounds.missing,
      ...(this.#parts.works() && {
        scrub: {
          done: at / this.#rounds.partitions,
          began_at: began,
          ...(last && { last_at: last.ended }),
        },
        ...(job && { job }),
      }),
    };
  }

  /** Begin a job. Throws, in words for the operator, when it cannot be done. */
  begin(wanted: Wish): Promise<Job> {
    return this.#jobs.begin(wanted);
  }

  /** Stop the job: begun again it starts over; what it has done stays. */
  stopJob(): Promise<Job | undefined> {
    return this.#jobs.stop();
  }

  get job(): Job | undefined {
    return this.#jobs.job;
  }

  async #compare(): Promise<void> {
    if (!this.#parts.works() || this.#jobs.isRunning) return;
    const index = this.#compared % this.#rounds.partitions;
    const shelf = this.#rounds.stageOf(index);
    this.#compared++;
    if (shelf === undefined) return;
    const duty = this.#rounds.duty(this.#ending.signal);
    await this.#rounds.visit(shelf, index % PARTITIONS, duty, this.#known);
  }

  async #scrubNext(): Promise<void> {
    if (!this.#parts.works() || this.#jobs.isRunning) return;
    const scrub = this.#scrub;
    const shelf = this.#rounds.stageOf(scrub.at);
    if (shelf !== undefined) {
      const { signal } = this.#ending;
      const deep = this.#rounds.pace(this.#parts.scrub.rate, signal);
      const duty = { ...this.#rounds.duty(signal), deep };
      add(scrub.tally, await this.#rounds.visit(shelf, scrub.at % PARTITIONS, duty));
      if (signal.aborted) return; // the rest of that partition is for next time
    }
    scrub.at++;
    if (scrub.at >= this.#rounds.partitions) {
      const { names, read, damaged, mended } = scrub.tally;
      this.#parts.log.info("all copies have been read", { names, read, damaged, mended });
      const last = { ended: this.#rounds.wall, tally: scrub.tally };
      this.#scrub = { at: 0, began: this.#rounds.wall, tally: emptyTally(), last };
    }
    await this.#save();
  }

  #now(): number {
    return this.#parts.clock.now();
  }

  readonly #sleep = (ms: number): Promise<void> =>
    this.#parts.clock.sleep(ms, this.#ending.signal).catch(() => {}); // told to end

  async #loop(every: number, run: () => Promise<void>): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      await this.#sleep(every);
      if (signal.aborted) return;
      try {
        await run();
      } catch (error) {
        this.#parts.log.error("looking after copies has failed", { error });
        await this.#sleep(AGAIN_MS);
      }
    }
  }

  async #save(now = false): Promise<void> {
    if (!now && this.#now() - this.#savedAt < SAVE_MS) return;
    this.#savedAt = this.#now();
    await writePage(this.#parts.directory, {
      ...(this.#jobs.job && { job: this.#jobs.job }),
      scrub: this.#scrub,
    });
  }
}
