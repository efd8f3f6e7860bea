import type { How } from "../admin/deps.ts";
import { losesLastUser } from "../admin/last-user.ts";
import type { RootConfig } from "../config/root.ts";
import type { MetricsSnapshot } from "../observe/metrics.ts";
import type { Registry } from "../observe/registry.ts";
import { lasting, sum } from "../observe/sum.ts";
import type { AdminServers } from "./admin-servers.ts";
import type { CertificateOffice } from "./certificates.ts";
import type { Config, ConfigText, Read } from "./config-text.ts";
import type { Crew, Renewal } from "./crew.ts";
import { explainError } from "./failure.ts";
import type { Logs } from "./logs.ts";
import { type Amended, discreet, type Moved, type Reloaded, whyNot } from "./outcome.ts";
import { problemsOf } from "./problems.ts";
import { changedInRoot, restartNotes } from "./root-changes.ts";
import { GRACE_MS } from "./roster.ts";
import { type AmendedText, type Amendment, type Carried, RunningText } from "./running-text.ts";
import type { LastReload, Status } from "./status.ts";
import { Turns } from "./turns.ts";

/** What a supervisor works with; all of it outlives every config. */
export interface SupervisorParts {
  readonly logs: Pick<Logs, "log" | "change">;
  readonly registry: Registry;
  readonly certificates: Pick<CertificateOffice, "prepare" | "close" | "store">;
  /** Be the node that a config says, or none. Cannot fail. */
  readonly cluster: { change(cluster: RootConfig["cluster"]): void };
  /** The config as it is now. Throws Error when it cannot be read. */
  read(): Read;
  /** The config that a text would be; files it refers to are those that `like` was read with. */
  readText(text: string, like: Config): Read;
  /** Event loops for a config. Rejects when they cannot be started. */
  makeCrew(config: Config): Promise<Crew>;
  /** How many a config asks for. */
  crewSize(config: Config): number;
}

/** A first config that is ready: one of the two must be called. */
export interface First {
  readonly supervisor: Supervisor;
  /** Take the traffic. */
  readonly commit: () => Promise<void>;
  readonly abandon: () => Promise<void>;
}

/** Keeps what runs equal to the config in force, and moves from one config to the next. */
export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #turns = new Turns();
  #config: Config;
  #crew: Crew;
  #admin: Pick<AdminServers, "prepare" | "renew"> | undefined;
  #state: Status["state"] = "serving";
  #generation: number;
  readonly #running: RunningText;
  #lastReload: LastReload | undefined;
  /** Counted by crews that are gone. */
  #past: MetricsSnapshot = { families: [] };

  private constructor(parts: SupervisorParts, config: Config, crew: Crew, before?: Carried) {
    this.#parts = parts;
    this.#config = config;
    this.#crew = crew;
    this.#generation = (before?.generation ?? 0) + 1;
    this.#running = new RunningText(config.source.text, before);
  }

  /**
   * Bring the first config to life; `before` is what the process that this one replaces had.
   * Rejects when any of it cannot be; then nothing is left running.
   */
  static async prepare(parts: SupervisorParts, config: Config, before?: Carried): Promise<First> {
    const { certificates } = parts;
    let supervisor: Supervisor | undefined;
    const keeping = await certificates.prepare(config.root.tls, async () =>
      supervisor?.publishCertificates(),
    );
    keeping?.fill(); // first: a worker begins with what is in the store
    const crew = await parts.makeCrew(config);
    supervisor = new Supervisor(parts, config, crew, before);
    try {
      const pending = await crew.prepare(config, "reread");
      return {
        supervisor,
        commit: async () => {
          await pending.commit();
          keeping?.run();
        },
        abandon: async () => {
          await pending.abandon();
          await crew.stop(0);
        },
      };
    } catch (failed) {
      await crew.stop(0);
      throw failed;
    }
  }

  get config(): Config {
    return this.#config;
  }
  get crew(): Crew {
    return this.#crew;
  }
  get state(): Status["state"] {
    return this.#state;
  }
  get generation(): number {
    return this.#generation;
  }
  get lastReload(): LastReload | undefined {
    return this.#lastReload;
  }
  /** What is in force and what is in the file. */
  get running(): Pick<RunningText, "text" | "file" | "unsaved" | "appliedTo"> {
    return this.#running;
  }
  /** All that another process needs to go on from here. */
  get carried(): Carried {
    const { text, file, unsaved } = this.#running;
    return { text, file, unsaved, generation: this.#generation };
  }

  /** Everything that is counted, by whoever counts or counted it. */
  async metrics(): Promise<MetricsSnapshot> {
    const others = await this.#crew.metrics();
    return sum([this.#parts.registry.snapshot(), this.#past, ...others]);
  }

  /** The admin listeners follow the config too, once there are any. */
  administer(servers: Pick<AdminServers, "prepare" | "renew">): void {
    this.#admin = servers;
  }

  publishCertificates(): Promise<void> {
    this.#admin?.renew();
    return this.#crew.certificates(this.#parts.certificates.store.snapshot());
  }

  /** Move to what the config says now: all of it, or nothing. Never rejects. `who` wants it. */
  reload(who = ""): Promise<Reloaded> {
    return this.exclusively("reloading", async () => {
      const at = Date.now();
      const began = performance.now();
      const moved = await this.#move(() => this.#parts.read(), "reread");
      const dropped = moved.ok ? this.#running.reloaded(this.#config.source.text) : [];
      const lost = dropped.map(({ who, what }) => `dropped what was not saved: ${what} (${who})`);
      const result = moved.ok ? { ...moved, notes: [...moved.notes, ...lost], dropped } : moved;
      this.#remember(result, at, Math.round(performance.now() - began), who);
      return result;
    });
  }

  /**
   * Change the text that runs, and move to what it says then: all of it, or nothing. The file is
   * not touched. Never rejects.
   */
  amend(amendment: Amendment, how: How = {}): Promise<Amended> {
    return this.exclusively("reloading", async () => {
      const { who, what } = amendment;
      const { log } = this.#parts.logs;
      const result = await this.#amend(amendment, how);
      if (result.ok) {
        const { changed } = result;
        log.info("changed", { who, what, changed, generation: this.#generation });
      } else {
        log.warn("a change was refused", { who, what, why: whyNot(result) });
      }
      const labels = { result: result.ok ? "done" : "refused" };
      this.#parts.registry
        .counter("tern_changes_total", "Changes of the running config by their result.", labels)
        .add(1);
      return result;
    });
  }

  /** The file has every change now. */
  saved(): void {
    this.#running.saved();
  }

  /** Do something that no reload may come between. `state` is shown meanwhile. */
  exclusively<T>(state: Status["state"], work: () => Promise<T>): Promise<T> {
    return this.#turns.take(async () => {
      if (this.#state === "serving") this.#state = state;
      try {
        return await work();
      } finally {
        if (this.#state === state) this.#state = "serving";
      }
    });
  }

  /** Finish what is in hand and end everything, within so many milliseconds. */
  async stop(within = GRACE_MS): Promise<void> {
    this.#state = "draining";
    this.#parts.certificates.close();
    await this.#crew.stop(within);
  }

  async #amend(amendment: Amendment, { base, force = false }: How): Promise<Amended> {
    if (base !== undefined && base !== this.#generation) return { ok: false, kind: "stale" };
    const old = this.#config;
    let next: AmendedText;
    try {
      next = amendment.amend(old.source.text);
    } catch (error) {
      return { ok: false, kind: "cannot", why: explainError(error) };
    }
    if (next.text === old.source.text) return { ok: true, kind: "done", changed: [], notes: [] };
    let lockedOut = false;
    const moved = await this.#move(() => {
      const read = this.#parts.readText(next.text, old);
      if (!read.ok || force) return read;
      lockedOut = losesLastUser(old.root.admin.users, read.config.root.admin.users);
      return lockedOut ? { ok: false, problems: [] } : read;
    }, "changed only");
    if (lockedOut) return { ok: false, kind: "last user" };
    if (!moved.ok) return { ...moved, kind: "bad config" };
    this.#running.amended(next, Date.now(), amendment);
    return { ...moved, kind: "done" };
  }

  /** Put a config in force: all of it, or nothing. */
  async #move(readIt: () => Read, how: Renewal): Promise<Moved> {
    const { certificates, cluster, logs } = this.#parts;
    const old = this.#config;
    const undo: (() => unknown)[] = [];
    let source: ConfigText | undefined;
    try {
      const read = readIt();
      if (!read.ok) return read;
      const { config } = read;
      const { root } = config;
      source = config.source;
      if (how === "reread") for (const warning of config.warnings) logs.log.warn(warning);

      const keeping = await certificates.prepare(root.tls, () => this.publishCertificates());
      const admin = await this.#admin?.prepare(root.admin);
      if (admin) undo.push(() => admin.abandon());
      const before = this.#crew;
      const size = this.#parts.crewSize(config);
      const crew = size === before.size ? before : await this.#parts.makeCrew(config);
      if (crew !== before) undo.push(() => crew.stop(0));
      const pending = await crew.prepare(config, crew === before ? how : "reread");

      // From here on nothing fails.
      this.#config = config;
      this.#crew = crew;
      this.#generation++;
      logs.change(root);
      cluster.change(root.cluster);
      keeping?.fill();
      if (keeping) await this.publishCertificates();
      await pending.commit();
      await admin?.commit();
      keeping?.run();
      if (crew !== before) this.#dismiss(before);
      return {
        ok: true,
        changed: [...pending.changed, ...changedInRoot(old.root, root)],
        notes: restartNotes(old.root, root),
      };
    } catch (error) {
      await Promise.allSettled(undo.map(async (step) => step()));
      return { ok: false, problems: problemsOf(error, old.source.file, source) };
    }
  }

  /** Another number of workers is another crew: the one before finishes what it has. */
  #dismiss(crew: Crew): void {
    crew.stop(GRACE_MS).then(
      async () => {
        // What they have counted stays in the sums.
        this.#past = sum([this.#past, ...(await crew.metrics()).map(lasting)]);
      },
      (error: unknown) =>
        this.#parts.logs.log.error("replaced workers did not end well", { error }),
    );
  }

  #remember(result: Reloaded, at: number, tookMs: number, who: string): void {
    const { logs, registry } = this.#parts;
    const { log } = logs;
    const { ok } = result;
    const by = who === "" ? {} : { who };
    const changed = ok ? result.changed : [];
    const notes = ok ? result.notes : [];
    const problems = ok ? [] : result.problems.map(discreet); // `status` is for many eyes, too
    this.#lastReload = { at, ok, tookMs, changed, notes, problems };
    if (ok) log.info("reloaded", { ...by, generation: this.#generation, changed, tookMs });
    else log.error("reload refused: the config before stays in force", { ...by, problems });
    for (const note of notes) log.warn(note);
    const labels = { result: ok ? "done" : "refused" };
    registry.counter("tern_reloads_total", "Reloads of the config by their result.", labels).add(1);
  }
}
