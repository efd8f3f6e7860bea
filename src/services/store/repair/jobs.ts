/** What the operator wants done to all copies: one job at a time, that ends with no process. */
import type { Shelf } from "../shelf.ts";
import type { Job, Wish } from "./job.ts";
import type { Rounds } from "./rounds.ts";
import { bookOf, moved } from "./standings.ts";
import { PARTITIONS, populated } from "./survey.ts";
import { add, emptyTally } from "./tally.ts";
import type { Duty } from "./visit.ts";

export class Jobs {
  readonly #rounds: Rounds;
  /** Write down how far it is; seldom, unless it is to be at once. */
  readonly #save: (now?: boolean) => Promise<void>;
  #job: Job | undefined;
  #stopping = new AbortController();
  #working: Promise<void> | undefined;

  constructor(rounds: Rounds, save: (now?: boolean) => Promise<void>) {
    this.#rounds = rounds;
    this.#save = save;
  }

  /** The one that runs, or the latest. */
  get job(): Job | undefined {
    return this.#job;
  }
  get isRunning(): boolean {
    return this.#job?.state === "running";
  }

  /** Begin a job. Throws, in words for the operator, when it cannot be done. */
  async begin(wanted: Wish): Promise<Job> {
    this.#refuseSecond();
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
    this.#refuseSecond(); // another may have begun meanwhile
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
      began: this.#rounds.wall,
      tally: emptyTally(),
    };
    this.#stopping = new AbortController();
    this.#job = job;
    this.#work(job);
    return job;
  }

  #refuseSecond(): void {
    if (this.#job?.state === "running")
      throw new Error(`a ${this.#job.kind} is running; it can be stopped`);
  }

  /** Go on with what was being done when the process ended. */
  resume(job: Job): void {
    this.#job = job;
    if (job.state === "running" && this.#rounds.parts.works()) this.#work(job);
  }

  /** Resolves when what is in hand is done; it goes on with the next process. */
  async end(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
  }

  /** Stop the job: begun again it starts over; what it has done stays. */
  async stop(): Promise<Job | undefined> {
    this.#stopping.abort();
    await this.#working;
    if (this.#job?.state === "running") this.#job = { ...this.#job, state: "stopped" };
    await this.#save(true);
    return this.#job;
  }

  #work(job: Job): void {
    this.#working = this.#run(job).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      this.#job = { ...(this.#job ?? job), state: "failed", ended: this.#rounds.wall, why };
      this.#rounds.parts.log.error("a repair has failed", { kind: job.kind, error });
      return this.#save(true).catch(() => {}); // the state directory may be what has failed
    });
  }

  async #run(begun: Job): Promise<void> {
    const { kind, member, dryRun } = begun;
    const shelves = this.#shelvesOf(begun);
    const moves = kind === "drain" || kind === "undrain";
    const { signal } = this.#stopping;
    const pace = this.#rounds.pace(begun.rate ?? this.#rounds.parts.scrub.rate, signal);
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
      ...this.#rounds.duty(signal),
      deep: kind === "fsck" ? pace : undefined,
      dry: dryRun,
      only: kind === "replace" ? member : undefined,
      homes: dryRun ? homes.get(shelf) : undefined,
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
      ended: this.#rounds.wall,
      ...(why !== undefined && { why }),
    };
    await this.#save(true);
    this.#rounds.parts.log.info("a repair has ended", { kind, dry: dryRun, ...ended.tally });
  }

  /** Visit all partitions that are left; false when it was told to stop. */
  async #phase(shelves: readonly Shelf[], duty: (shelf: Shelf) => Duty): Promise<boolean> {
    const has = await Promise.all(shelves.map(populated));
    for (;;) {
      const job = this.#job;
      if (job === undefined || this.#stopping.signal.aborted) return false;
      if (job.at >= job.of) return true;
      const shelf = shelves[Math.floor(job.at / PARTITIONS)];
      if (shelf === undefined) return true;
      if (has[shelves.indexOf(shelf)]?.(job.at % PARTITIONS) !== true) {
        this.#job = { ...job, at: job.at + 1 };
        continue;
      }
      const tally = await this.#rounds.visit(shelf, job.at % PARTITIONS, duty(shelf));
      if (this.#stopping.signal.aborted) return false; // the rest of that partition is for next time
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
    await this.#rounds.parts.standings.write(bookOf(this.#rounds.parts.shelves));
  }

  #shelvesOf({ stage, member }: Pick<Wish, "stage" | "member">): Shelf[] {
    return this.#rounds.parts.shelves.filter(
      ({ number, seats }) =>
        (stage === undefined || number === stage) &&
        (member === undefined || seats.some(({ id }) => id === member)),
    );
  }
}
