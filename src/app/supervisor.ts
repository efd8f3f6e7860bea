import { availableParallelism } from "node:os";

import type { ConfigError } from "../config/problem.ts";
import type { RootConfig } from "../config/root.ts";
import { systemClock } from "../core/clock.ts";
import type { LocalSockets } from "../net/local-sockets.ts";
import type { MetricsSnapshot } from "../observe/metrics.ts";
import type { Registry } from "../observe/registry.ts";
import { lasting, sum } from "../observe/sum.ts";
import type { AdminServers } from "./admin-servers.ts";
import type { CertificateOffice } from "./certificates.ts";
import { type Config, type ConfigPlace, readConfig } from "./config-text.ts";
import type { Crew, Pending } from "./crew.ts";
import { problemsOf } from "./failure.ts";
import type { Logs } from "./logs.ts";
import { restartNotes } from "./restart-notes.ts";
import { GRACE_MS } from "./roster.ts";
import { same } from "./same.ts";
import { Solo } from "./solo.ts";
import type { LastReload, Status } from "./status.ts";
import { Workers } from "./workers.ts";

/** What a supervisor works with; all of it outlives every config. */
export interface SupervisorParts {
  readonly place: ConfigPlace;
  readonly logs: Logs;
  readonly registry: Registry;
  readonly sockets: LocalSockets;
  readonly certificates: CertificateOffice;
}

/** What a reload came to. Problems are in the config, or what stood in the way of it. */
export type Reloaded =
  | { readonly ok: true; readonly changed: readonly string[]; readonly notes: readonly string[] }
  | { readonly ok: false; readonly problems: ConfigError["problems"] };

/** Keeps what runs equal to the config in force, and moves from one config to the next. */
export class Supervisor {
  readonly #parts: SupervisorParts;
  #config: Config;
  #crew: Crew;
  #admin: AdminServers | undefined;
  #state: Status["state"] = "serving";
  #generation = 1;
  #lastReload: LastReload | undefined;
  /** Counted by crews that are gone. */
  #past: MetricsSnapshot = { families: [] };
  /** Reloads and upgrades come one after the other. */
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(parts: SupervisorParts, config: Config, crew: Crew) {
    this.#parts = parts;
    this.#config = config;
    this.#crew = crew;
  }

  /**
   * Bring the first config to life, up to the moment of taking traffic: `commit` does that.
   * Rejects when anything of it cannot be; then nothing is left running.
   */
  static async prepare(
    parts: SupervisorParts,
    config: Config,
  ): Promise<{ supervisor: Supervisor; commit(): Promise<void>; abandon(): Promise<void> }> {
    const { certificates } = parts;
    let supervisor: Supervisor | undefined;
    const keeping = await certificates.prepare(config.root.tls, async () =>
      supervisor?.crew.certificates(certificates.store.snapshot()),
    );
    keeping?.fill();
    const crew = await makeCrew(config, parts);
    supervisor = new Supervisor(parts, config, crew);
    try {
      const pending = await crew.prepare(config);
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

  /** Everything that is counted, by whoever counts or counted it. */
  async metrics(): Promise<MetricsSnapshot> {
    const others = await this.#crew.metrics();
    return sum([this.#parts.registry.snapshot(), this.#past, ...others]);
  }

  /** The admin listeners follow the config too, once there are any. */
  administer(servers: AdminServers): void {
    this.#admin = servers;
  }

  /** Move to what the config says now: all of it, or nothing. Never rejects. */
  reload(): Promise<Reloaded> {
    return this.#inTurn("reloading", async () => {
      const at = Date.now();
      const began = performance.now();
      const result = await this.#reload();
      const { log } = this.#parts.logs;
      const tookMs = Math.round(performance.now() - began);
      const problems = result.ok
        ? []
        : result.problems.map(
            (p) => `${p.file}:${p.line}:${p.column}: ${p.path && `${p.path}: `}${p.message}`,
          );
      const changed = result.ok ? result.changed : [];
      const notes = result.ok ? result.notes : [];
      this.#lastReload = { at, ok: result.ok, tookMs, changed, notes, problems };
      if (result.ok) log.info("reloaded", { generation: this.#generation, changed, tookMs });
      else log.error("reload refused: the config before stays in force", { problems });
      for (const note of notes) log.warn(note);
      this.#count(result.ok);
      return result;
    });
  }

  /** Do something that no reload may come between. `state` is shown meanwhile. */
  exclusively<T>(state: Status["state"], work: () => Promise<T>): Promise<T> {
    return this.#inTurn(state, work);
  }

  /** Finish what is in hand and end everything, within so many milliseconds. */
  async stop(within = GRACE_MS): Promise<void> {
    this.#state = "draining";
    this.#parts.certificates.close();
    await this.#crew.stop(within);
  }

  async #reload(): Promise<Reloaded> {
    const { place, certificates, logs } = this.#parts;
    const old = this.#config;
    const undo: (() => unknown)[] = [];
    try {
      const read = readConfig(place);
      if (!read.ok) return read;
      const { config } = read;
      const { root } = config;
      for (const warning of config.warnings) logs.log.warn(warning);

      const keeping = await certificates.prepare(root.tls, () =>
        this.#crew.certificates(certificates.store.snapshot()),
      );
      const admin = this.#admin?.prepare(root.admin);
      if (admin) undo.push(() => admin.abandon());
      const moved =
        crewSize(root) === this.#crew.size ? undefined : await makeCrew(config, this.#parts);
      if (moved) undo.push(() => moved.stop(0));
      const pending: Pending = await (moved ?? this.#crew).prepare(config);

      // From here on nothing fails.
      keeping?.fill();
      if (keeping) await (moved ?? this.#crew).certificates(certificates.store.snapshot());
      this.#config = config;
      this.#generation++;
      logs.change(root);
      await pending.commit();
      await admin?.commit();
      keeping?.run();
      if (moved) this.#moveTo(moved);
      const changed = [...pending.changed, ...changedInRoot(old.root, root)];
      return { ok: true, changed, notes: restartNotes(old.root, root) };
    } catch (error) {
      await Promise.allSettled(undo.map(async (step) => step()));
      const file = place.kind === "file" ? place.path : place.name;
      return { ok: false, problems: problemsOf(error, file) };
    }
  }

  /** Another number of workers is another crew: the one before finishes what it has. */
  #moveTo(crew: Crew): void {
    const old = this.#crew;
    this.#crew = crew;
    void old.stop(GRACE_MS).then(
      async () => {
        // What they have counted stays in the sums.
        this.#past = sum([this.#past, ...(await old.metrics()).map(lasting)]);
      },
      (error: unknown) =>
        this.#parts.logs.log.error("replaced workers did not end well", { error }),
    );
  }

  async #inTurn<T>(state: Status["state"], work: () => Promise<T>): Promise<T> {
    const before = this.#queue;
    const turn = Promise.withResolvers<void>();
    this.#queue = turn.promise;
    await before;
    if (this.#state === "serving") this.#state = state;
    try {
      return await work();
    } finally {
      if (this.#state === state) this.#state = "serving";
      turn.resolve();
    }
  }

  #count(ok: boolean): void {
    const result = ok ? "done" : "refused";
    this.#parts.registry
      .counter("tern_reloads_total", "Reloads of the config by their result.", { result })
      .add(1);
  }
}

/** How many event loops a config asks for. */
export function crewSize({ workers }: Pick<RootConfig, "workers">): number {
  return workers === "auto" ? availableParallelism() : workers;
}

async function makeCrew(config: Config, parts: SupervisorParts): Promise<Crew> {
  const { logs, registry, sockets, certificates } = parts;
  const size = crewSize(config.root);
  const { state } = config.root;
  const { log } = logs;
  const { store } = certificates;
  if (size === 1) return new Solo({ log, logs, registry, sockets, certificates: store, state });
  return Workers.begin(size, config, { clock: systemClock, log, sockets, certificates: store });
}

/** Keys of the root that changed and are in force now. */
function changedInRoot(old: RootConfig, next: RootConfig): string[] {
  const keys = ["workers", "log", "accessLog", "admin", "tls"] as const;
  return keys
    .filter((key) => !same(old[key], next[key]))
    .map((key) => (key === "accessLog" ? "access_log" : key));
}
