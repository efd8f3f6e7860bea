import { backoff, type BackoffRules, failedAgain } from "../core/backoff.ts";
import type { Clock } from "../core/clock.ts";
import type { Word } from "../net/cluster/shared-nodes.ts";
import type { Health } from "../net/health/health.ts";
import type { LocalSockets } from "../net/local-sockets.ts";
import type { CertificateStore } from "../net/tls/store.ts";
import type { Journal } from "../observe/journal.ts";
import type { Log } from "../observe/log.ts";
import type { MetricsSnapshot } from "../observe/metrics.ts";
import { lasting, sum } from "../observe/sum.ts";
import { MAX_STUCK, type Stuck } from "../wire/cluster/sticky-news.ts";
import type { Handlers } from "./channel.ts";
import type { Config } from "./config-text.ts";
import type { Member } from "./crew.ts";
import type { Report, Requests } from "./messages.ts";
import { answersTo } from "./worker-asks.ts";
import { WorkerHealth } from "./worker-health.ts";
import { type Death, type Hand, showDeath } from "./worker-process.ts";
import { WorkerSockets } from "./worker-sockets.ts";

/** A first crash is repaired in a tenth of a second; a crash loop costs two starts a minute. */
const RESTART: BackoffRules = { first: 100, most: 30_000, calm: 60_000 };
/** What waits in the backlog of a dead worker may wait so long; then others get the new connections. */
const HOLD_MS = 1000;
/** How much of a crashed worker's counting may be lost. */
const REPORT_MS = 2000;
/** A worker that does not answer for this long hangs. */
const HANG_MS = 30_000;

/** What a crew lends its slots. */
export interface SlotParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly sockets: LocalSockets;
  readonly certificates: CertificateStore;
  readonly health: Health;
  readonly journal: Pick<Journal, "add">;
  readonly count: number;
  /** Start a worker process. Throws when there cannot be one. */
  spawn(index: number, handlers: Handlers<Requests>, log: Log): Hand;
  /** What a worker has to tell the others of its clients. */
  stuck(from: number, news: readonly Stuck[]): void;
  /** All that were told of before: for a worker that begins. */
  whereClientsAre(): readonly Stuck[];
  /** What its services say to those of the others. */
  told(from: number, word: Word): void;
  /** The config in force: what a worker that starts again gets. */
  config(): Config;
}

interface Lent {
  release(): Promise<void>;
}

/** The place of one worker: its process, and starting another when it dies. */
export class Slot {
  readonly #index: number;
  readonly #parts: SlotParts;
  readonly #ended = new AbortController();
  #worker: Hand | undefined;
  /** What the worker has been lent: sockets, and the watching of servers. */
  #lent: readonly Lent[] = [];
  /** What the dead had: kept until the next worker serves, with all that waits in the sockets. */
  #orphans: Lent[] = [];
  #state: Member["state"] = "starting";
  #failures = 0;
  #restarts = 0;
  #lastDeath: string | undefined;
  #report: Report | undefined;
  #past: MetricsSnapshot = { families: [] };
  #serves: Config | undefined;
  #settled: Promise<void> = Promise.resolve();
  /** To the worker that knows where clients are. */
  #taught: Hand["channel"] | undefined;
  #kept = false;

  constructor(index: number, parts: SlotParts) {
    this.#index = index;
    this.#parts = parts;
  }

  get serving(): boolean {
    return this.#state === "serving";
  }

  /** What was counted by processes of this slot that are gone. */
  get past(): MetricsSnapshot {
    return this.#past;
  }

  /** To whoever can be given a new config: a worker that is down gets it when it starts. */
  get channel(): Hand["channel"] | undefined {
    return this.#worker?.channel;
  }

  /** The first start. Rejects when it fails: whoever began this crew then gives it up. */
  async launch(config: Config): Promise<void> {
    await this.#begin(config);
  }

  /** Resolves when a start that is under way has come to its end. */
  settled(): Promise<void> {
    return this.#settled;
  }

  /** Have its worker commit what it has prepared; with its first pools it learns where clients are. */
  async commit(channel: Hand["channel"]): Promise<void> {
    const committed = channel.call("commit", null);
    if (channel !== this.#taught) {
      this.#taught = channel;
      const all = this.#parts.whereClientsAre();
      for (let i = 0; i < all.length; i += MAX_STUCK)
        channel.call("stuck", all.slice(i, i + MAX_STUCK)).catch(() => {}); // it died
    }
    await committed;
  }

  /** Its worker has committed this config. */
  serves(config: Config): void {
    this.#serves = config;
    if (this.#state === "starting") this.#state = "serving";
  }

  /** Start another worker whenever this one dies, until this slot stops. */
  keep(): void {
    if (this.#kept) return;
    this.#kept = true;
    void this.#keepOn();
  }

  /** How it is now; how it was when it last said so, when it takes longer than `patience` ms. */
  async member(patience: number): Promise<Member> {
    if (this.serving) await this.#ask(patience);
    return {
      index: this.#index,
      pid: this.#worker?.pid,
      state: this.#state,
      restarts: this.#restarts,
      lastDeath: this.#lastDeath,
      report: this.#report,
    };
  }

  /** Finish what is in hand within so many ms; killed when that takes `patience` longer. */
  async stop(within: number, patience: number): Promise<void> {
    this.#state = "stopping";
    this.#ended.abort();
    const worker = this.#worker;
    if (worker) {
      const late = this.#parts.clock.deadline(within + patience);
      late.addEventListener("abort", () => worker.kill(), { once: true });
      const last = await worker.channel.call("stop", { within }).catch(() => undefined); // died
      this.#report = last ?? this.#report;
      worker.kill(); // it has nothing left to do
      await worker.died;
    }
    this.#bury();
    await this.#release();
  }

  /** Let go of all that was lent; a new worker asks for its own. */
  async #release(): Promise<void> {
    const all = [...this.#lent, ...this.#orphans.splice(0)];
    await Promise.all(all.map((lent) => lent.release()));
  }

  async #begin(config: Config): Promise<Hand> {
    const { log, count, certificates } = this.#parts;
    const sockets = new WorkerSockets(this.#parts.sockets, { slot: this.#index, count });
    const health = new WorkerHealth(this.#parts.health, (news) => {
      worker.channel.call("health", news).catch(() => {}); // it died
    });
    const worker: Hand = this.#parts.spawn(
      this.#index,
      answersTo(this.#index, this.#parts, {
        sockets,
        health,
        give: (ticket, fd) => worker.give(ticket, fd),
      }),
      log,
    );
    this.#worker = worker;
    this.#orphans.push(...this.#lent);
    this.#lent = [sockets, health];
    void this.#watch(worker);
    const index = this.#index;
    const state = certificates.snapshot();
    await worker.channel.call("begin", {
      index,
      count,
      config: config.source,
      certificates: state,
    });
    return worker;
  }

  async #keepOn(): Promise<void> {
    const { clock } = this.#parts;
    while (!this.#ended.signal.aborted) {
      const death = await this.#worker?.died;
      if (this.#ended.signal.aborted) return;
      this.#failures = failedAgain(this.#failures, death?.lived ?? 0, RESTART);
      const wait = backoff(this.#failures, RESTART);
      if (death) this.#mourn(death, wait);
      if (wait > HOLD_MS) await this.#release();
      await clock.sleep(wait, this.#ended.signal).catch(() => {}); // stopping: the loop sees it
      if (!this.#ended.signal.aborted) await (this.#settled = this.#restart());
    }
  }

  #mourn(death: Death, wait: number): void {
    this.#lastDeath = showDeath(death);
    this.#parts.log.error("a worker died", {
      worker: this.#index,
      pid: this.#worker?.pid,
      how: this.#lastDeath,
      lived: `${Math.round(death.lived)}ms`,
      again: `in ${wait}ms`,
      ...(death.said !== "" && { error: lastWords(death) }),
    });
    this.#bury();
    this.#state = "down";
  }

  #bury(): void {
    if (this.#report) this.#past = sum([this.#past, lasting(this.#report.metrics)]);
    this.#report = undefined;
    this.#serves = undefined;
    this.#worker = undefined;
  }

  /** Never rejects: what goes wrong is logged, and the loop tries again. */
  async #restart(): Promise<void> {
    const { log } = this.#parts;
    this.#restarts++;
    this.#state = "starting";
    try {
      const worker = await this.#begin(this.#parts.config());
      // When a reload overtakes this start, it is followed by one more turn.
      for (let config; (config = this.#parts.config()) !== this.#serves;) {
        await worker.channel.call("prepare", { config: config.source, how: "reread" });
        await this.commit(worker.channel);
        this.#serves = config;
      }
      this.#state = "serving";
      log.info("a worker serves again", { worker: this.#index, pid: worker.pid });
      await Promise.all(this.#orphans.splice(0).map((lent) => lent.release()));
    } catch (error) {
      log.error("a worker could not be started", { worker: this.#index, error });
      this.#worker?.kill(); // its death begins the next try
      this.#state = "down";
    }
  }

  async #ask(patience: number): Promise<boolean> {
    const worker = this.#worker;
    if (!worker) return false;
    const over = new AbortController();
    const answer = worker.channel.call("report", null).then(
      (report) => {
        if (worker === this.#worker) this.#report = report;
        return true;
      },
      () => false, // it died
    );
    const late = this.#parts.clock.sleep(patience, over.signal).then(
      () => false,
      () => false,
    );
    const answered = await Promise.race([answer, late]);
    over.abort();
    return answered;
  }

  /** Ask it from time to time: for the counters it must not take with it, and as a sign of life. */
  async #watch(worker: Hand): Promise<void> {
    const { clock, log } = this.#parts;
    const gone = new AbortController();
    void worker.died.then(() => gone.abort());
    for (;;) {
      await clock.sleep(REPORT_MS, gone.signal).catch(() => {}); // died: seen below
      if (gone.signal.aborted) return;
      if (!this.serving || (await this.#ask(HANG_MS)) || gone.signal.aborted) continue;
      if (worker !== this.#worker || this.#ended.signal.aborted) return;
      log.error("a worker hangs and is killed", { worker: this.#index, pid: worker.pid });
      worker.kill();
      return;
    }
  }
}

/** What the worker said last, as the log shows a stack. */
function lastWords(death: Death): Error {
  const error = new Error(showDeath(death));
  error.stack = death.said;
  return error;
}
