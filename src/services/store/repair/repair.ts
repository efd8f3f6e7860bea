/**
 * Whoever looks after all copies while nobody asks for them: a walk over all partitions that compares
 * what members have, a slower one that reads every byte, and the jobs of the operator. In one process.
 */
import type { Clock } from "../../../core/clock.ts";
import type { Log } from "../../../observe/log.ts";
import type { Shelf } from "../shelf.ts";
import { type Job, readPage, type Scrub, type Wish, writePage } from "./job.ts";
import { Pace } from "./pace.ts";
import { apply, bookOf, moved, STANDING_EVERY_MS, type Standings } from "./standings.ts";
import { PARTITIONS, populated } from "./survey.ts";
import { add, emptyTally, type Tally } from "./tally.ts";
import { type Duty, Known, visit } from "./visit.ts";

/** Every partition is compared once in so long: by lists alone where nothing has changed. */
const COMPARE_MS = 3_600_000;
/** How often what is being done is written down. */
const SAVE_MS = 1000;
/** After a failure of our own. */
const AGAIN_MS = 5000;

export interface RepairParts {
  readonly shelves: readonly Shelf[];
  readonly clock: Clock;
  readonly log: Log;
  /** Where it remembers how far it is. */
  readonly directory: string;
  readonly standings: Standings;
  /** `interval` in milliseconds; `rate` in bytes a second. */
  readonly scrub: { readonly interval: number; readonly rate: number };
  /** Longest time that a member is away and comes back as it was. Milliseconds. */
  readonly outage: number;
  /** Keys are targets as they were sent. */
  readonly raw: boolean;
  /** This process does it; the others only go by the book of standings. */
  readonly works: () => boolean;
}

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
  readonly scrub?: { readonly done: number; readonly began: number; readonly last?: number };
  readonly job?: Job;
}

export class Repair {
  readonly #parts: RepairParts;
  readonly #known = new Known();
  readonly #ending = new AbortController();
  readonly #total = emptyTally();
  readonly #owed: Uint32Array;
  readonly #lost: Uint32Array;
  #compared = 0;
  #scrub: Scrub;
  #job: Job | undefined;
  #stopJob = new AbortController();
  #running: Promise<unknown> | undefined;
  #working: Promise<void> | undefined;
  #savedAt = -Infinity;

  constructor(parts: RepairParts) {
    this.#parts = parts;
    this.#owed = new Uint32Array(this.#partitions);
    this.#lost = new Uint32Array(this.#partitions);
    this.#scrub = { at: 0, began: this.#wall(), tally: emptyTally() };
  }

  /** Go by the book as it is: call it before requests come. */
  async open(): Promise<void> {
    const book = await this.#parts.standings.read();
    if (book !== undefined) apply(book, this.#parts.shelves);
  }

  start(): void {
    if (this.#running !== undefined) return;
    const page = readPage(this.#parts.directory);
    this.#job = page.job;
    this.#scrub = page.scrub ?? this.#scrub;
    const { scrub } = this.#parts;
    this.#running = Promise.all([
      this.#loop(STANDING_EVERY_MS, () => this.open()),
      this.#loop(COMPARE_MS / Math.max(1, this.#partitions), () => this.#compare()),
      this.#loop(scrub.interval / Math.max(1, this.#partitions), () => this.#scrubNext()),
    ]);
    if (this.#job?.state === "running" && this.#parts.works()) this.#work(this.#job);
  }

  /** Resolves when what is in hand is done. */
  async stop(): Promise<void> {
    this.#ending.abort();
    this.#stopJob.abort();
    await Promise.all([this.#running, this.#working]);
    if (this.#running !== undefined && this.#parts.works()) await this.#save(true);
  }

  get figures(): RepairFigures {
    const { at, began, last } = this.#scrub;
    const sum = (all: Uint32Array): number => all.reduce((a, b) => a + b, 0);
    return {
      compared: this.#compared,
      verified_bytes: this.#total.read,
      damaged: this.#total.damaged,
      mended: this.#total.mended,
      forgotten: this.#total.forgotten,
      owed: sum(this.#owed),
      lost: sum(this.#lost),
      ...(this.#parts.works() && {
        scrub: { done: at / this.#partitions, began, ...(last && { last: last.ended }) },
      }),
      ...(this.#parts.works() && this.#job !== undefined && { job: this.#job }),
    };
  }

  /** Begin a job. Throws, in words for the operator, when it cannot be done. */
  async begin(wanted: Wish): Promise<Job> {
    if (this.#job?.state === "running")
      throw new Error(`a ${this.#job.kind} is running; it can be stopped`);
    const { kind, member, stage, dryRun, rate } = wanted;
    const shelves = this.#shelvesOf(wanted);
    if (shelves.length === 0)
      throw new Error(
        member === undefined
          ? `there is no stage ${stage}`
          : `there is no member "${member}"${stage === undefined ? "" : ` in stage ${stage}`}`,
      );
    if (kind !== "fsck" && kind !== "rebalance" && member === undefined)
      throw new Error(`${kind}: which member?`);
    if (kind === "drain" || kind === "undrain")
      for (const shelf of shelves) moved(shelf, member ?? "", kind === "undrain"); // or it throws
    if (kind === "replace" && !dryRun)
      for (const { seats } of shelves)
        for (const seat of seats) if (seat.id === member) await seat.renew();
    const job: Job = {
      kind,
      dryRun,
      ...(member !== undefined && { member }),
      ...(stage !== undefined && { stage }),
      ...(rate !== undefined && { rate }),
      state: "running",
      phase: "copying",
      at: 0,
      of: shelves.length * PARTITIONS,
      began: this.#wall(),
      tally: emptyTally(),
    };
    this.#stopJob = new AbortController();
    this.#job = job;
    this.#work(job);
    return job;
  }

  /** Stop the job: begun again it starts over; what it has done stays. */
  async stopJob(): Promise<Job | undefined> {
    this.#stopJob.abort();
    await this.#working;
    if (this.#job?.state === "running") this.#job = { ...this.#job, state: "stopped" };
    await this.#save(true);
    return this.#job;
  }

  get job(): Job | undefined {
    return this.#job;
  }

  #work(job: Job): void {
    this.#working = this.#run(job).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      this.#job = { ...(this.#job ?? job), state: "failed", ended: this.#wall(), why };
      this.#parts.log.error("a repair has failed", { kind: job.kind, error });
      return this.#save(true).catch(() => {}); // the state directory may be what has failed
    });
  }

  async #run(begun: Job): Promise<void> {
    const { kind, member, dryRun } = begun;
    const shelves = this.#shelvesOf(begun);
    const moves = kind === "drain" || kind === "undrain";
    const { signal } = this.#stopJob;
    const pace = this.#pace(begun.rate ?? this.#parts.scrub.rate, signal);
    const homes = new Map(
      moves
        ? shelves.map((shelf) => {
            const { out } = moved(shelf, member ?? "", kind === "undrain");
            return [shelf, shelf.homesWithout(out)];
          })
        : [],
    );
    if (moves && !dryRun && begun.phase === "copying")
      await this.#stand(shelves, (shelf) => moved(shelf, member ?? "", kind === "undrain"));
    const duty = (shelf: Shelf): Duty => ({
      deep: kind === "fsck" ? pace : undefined,
      dry: dryRun,
      only: kind === "replace" ? member : undefined,
      homes: dryRun ? homes.get(shelf) : undefined,
      forgetBefore: this.#forgetBefore(),
      raw: this.#parts.raw,
      signal,
    });
    if (begun.phase === "copying" && !(await this.#phase(shelves, duty))) return;
    const { tally } = this.#job ?? begun;
    const clears = (moves || kind === "rebalance") && !dryRun;
    if (clears && tally.owed === 0 && tally.lost === 0) {
      if (this.#job?.phase !== "clearing") {
        if (moves)
          await this.#stand(shelves, ({ standing }) => ({ ...standing, before: undefined }));
        const fresh = { ...tally, names: 0, owed: 0, lost: 0, strays: 0 };
        this.#job = { ...(this.#job ?? begun), phase: "clearing", at: 0, tally: fresh };
      }
      if (!(await this.#phase(shelves, (shelf) => ({ ...duty(shelf), clear: true })))) return;
    }
    const ended = this.#job ?? begun;
    const left = ended.tally.owed + ended.tally.lost;
    const why =
      clears && ended.phase === "copying"
        ? `${left} copies cannot be made now: nothing has been removed; begin it again when all members are there`
        : undefined;
    this.#job = {
      ...ended,
      state: why === undefined ? "done" : "failed",
      ended: this.#wall(),
      ...(why !== undefined && { why }),
    };
    await this.#save(true);
    this.#parts.log.info("a repair has ended", { kind, dry: dryRun, ...ended.tally });
  }

  /** Visit all partitions that are left; false when it was told to stop. */
  async #phase(shelves: readonly Shelf[], duty: (shelf: Shelf) => Duty): Promise<boolean> {
    const has = await Promise.all(shelves.map(populated));
    for (;;) {
      const job = this.#job;
      if (job === undefined || this.#stopJob.signal.aborted) return false;
      if (job.at >= job.of) return true;
      const shelf = shelves[Math.floor(job.at / PARTITIONS)];
      if (shelf === undefined) return true;
      if (has[shelves.indexOf(shelf)]?.(job.at % PARTITIONS) !== true) {
        this.#job = { ...job, at: job.at + 1 };
        continue;
      }
      const tally = await this.#visit(shelf, job.at % PARTITIONS, duty(shelf));
      if (this.#stopJob.signal.aborted) return false; // the rest of that partition is for next time
      const sum = { ...job.tally };
      add(sum, tally);
      this.#job = { ...job, at: job.at + 1, tally: sum };
      await this.#save();
    }
  }

  /** Have all routers go by another standing of these stages. */
  async #stand(
    shelves: readonly Shelf[],
    next: (shelf: Shelf) => Shelf["standing"],
  ): Promise<void> {
    for (const shelf of shelves) shelf.standing = next(shelf);
    await this.#parts.standings.write(bookOf(this.#parts.shelves));
  }

  async #compare(): Promise<void> {
    if (!this.#parts.works() || this.#job?.state === "running") return;
    const index = this.#compared % this.#partitions;
    const shelf = this.#parts.shelves[Math.floor(index / PARTITIONS)];
    this.#compared++;
    if (shelf === undefined) return;
    const { signal } = this.#ending;
    const duty = { forgetBefore: this.#forgetBefore(), raw: this.#parts.raw, signal };
    await this.#visit(shelf, index % PARTITIONS, duty, this.#known);
  }

  async #scrubNext(): Promise<void> {
    if (!this.#parts.works() || this.#job?.state === "running") return;
    const scrub = this.#scrub;
    const shelf = this.#parts.shelves[Math.floor(scrub.at / PARTITIONS)];
    if (shelf !== undefined) {
      const { signal } = this.#ending;
      const deep = this.#pace(this.#parts.scrub.rate, signal);
      const duty = { deep, forgetBefore: this.#forgetBefore(), raw: this.#parts.raw, signal };
      add(scrub.tally, await this.#visit(shelf, scrub.at % PARTITIONS, duty));
      if (signal.aborted) return; // the rest of that partition is for next time
    }
    scrub.at++;
    if (scrub.at >= this.#partitions) {
      const { names, read, damaged, mended } = scrub.tally;
      this.#parts.log.info("all copies have been read", { names, read, damaged, mended });
      const last = { ended: this.#wall(), tally: scrub.tally };
      this.#scrub = { at: 0, began: this.#wall(), tally: emptyTally(), last };
    }
    await this.#save();
  }

  async #visit(shelf: Shelf, partition: number, duty: Duty, known?: Known): Promise<Tally> {
    const tally = await visit(shelf, partition, duty, known);
    if (duty.dry === true) return tally;
    add(this.#total, tally);
    if (duty.only !== undefined) return tally;
    const index = this.#parts.shelves.indexOf(shelf) * PARTITIONS + partition;
    this.#owed[index] = tally.owed;
    this.#lost[index] = tally.lost;
    return tally;
  }

  #shelvesOf({ stage, member }: Pick<Wish, "stage" | "member">): Shelf[] {
    return this.#parts.shelves.filter(
      ({ number, seats }) =>
        (stage === undefined || number === stage) &&
        (member === undefined || seats.some(({ id }) => id === member)),
    );
  }

  get #partitions(): number {
    return this.#parts.shelves.length * PARTITIONS;
  }

  #pace(rate: number, signal: AbortSignal): Pace {
    const { clock } = this.#parts;
    return new Pace(
      rate,
      () => clock.now(),
      (ms) => clock.sleep(ms, signal),
    );
  }

  #forgetBefore(): number {
    return this.#wall() - this.#parts.outage;
  }

  #wall(): number {
    return this.#parts.shelves[0]?.common.wall() ?? 0;
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
      ...(this.#job !== undefined && { job: this.#job }),
      scrub: this.#scrub,
    });
  }
}
