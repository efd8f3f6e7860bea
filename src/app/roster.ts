import { actionForms } from "../admin/action-forms.ts";
import type { ActionForm } from "../admin/deps.ts";
import { type Ran, runAction } from "../admin/run-action.ts";
import type { Host, Instance, ListenerFigures, Service } from "../services/service.ts";
import type { Renewal } from "./crew.ts";
import { plan, type Sections, type Step } from "./plan.ts";

/** What a replaced instance may take to finish what it has in hand. */
export const GRACE_MS = 30_000;

/** A change that is ready: either of the two must be called, once. */
export interface Change {
  readonly steps: readonly Step[];
  /** Start the new, then stop the old; the promise is for the last of the old to be gone. */
  commit(): Promise<void>;
  /** Give back all that was prepared; the old goes on. */
  abandon(): Promise<void>;
}

/** The services of this process, kept equal to a config. */
export class Roster {
  readonly #services: readonly Service<any>[];
  readonly #host: Host;
  #config: Sections = {};
  readonly #running = new Map<string, Instance>();
  readonly #leaving = new Set<Promise<void>>();

  constructor(services: readonly Service<any>[], host: Host) {
    this.#services = services;
    this.#host = host;
  }

  get names(): readonly string[] {
    return [...this.#running.keys()];
  }

  /** Prepare all that `next` changes. Throws when one cannot be: then nothing has happened. */
  async prepare(next: Sections, how: Renewal = "reread"): Promise<Change> {
    const steps = plan(this.#services, this.#config, next, how);
    const ready = await this.#prepareAll(steps, next);
    return {
      steps,
      commit: () => this.#commit(steps, ready, next),
      abandon: () => stopAll([...ready.values()], AbortSignal.abort()),
    };
  }

  /** What each service shows. */
  stats(): Record<string, Readonly<Record<string, unknown>>> {
    return Object.fromEntries([...this.#running].map(([name, it]) => [name, it.stats()]));
  }

  /** Where services listen by themselves. */
  listeners(): ListenerFigures[] {
    return [...this.#running.values()].flatMap((it) => it.listeners?.() ?? []);
  }

  /** What an operator may ask of each service. */
  actions(): Record<string, Record<string, ActionForm>> {
    return Object.fromEntries(
      [...this.#running].map(([name, { actions }]) => [name, actionForms(actions)]),
    );
  }

  /** Run an action; throws when there is none of this name, or when it does. */
  async act(service: string, action: string, input: unknown): Promise<Ran> {
    const actions = this.#running.get(service)?.actions ?? {};
    const found = Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (!found) throw new Error(`${service} has no action ${JSON.stringify(action)}`);
    return runAction(found, input);
  }

  /** Finish what is in hand, everywhere; over when the last is gone. */
  async stop(deadline: AbortSignal): Promise<void> {
    const leaving = [...this.#running.values()];
    this.#running.clear();
    this.#config = {};
    await Promise.all([stopAll(leaving, deadline), ...this.#leaving]);
  }

  async #prepareAll(steps: readonly Step[], next: Sections): Promise<Map<string, Instance>> {
    const wanted = new Set(steps.filter((s) => s.act !== "stop").map((s) => s.service));
    const ready = new Map<string, Instance>();
    try {
      for (const service of this.#services) {
        if (!wanted.has(service.name)) continue;
        const log = this.#host.log.with({ service: service.name });
        // Not a copy: some of what a host has can change while it is lent.
        const host: Host = Object.create(this.#host, { log: { value: log, enumerable: true } });
        ready.set(service.name, await service.prepare(next[service.name], host));
      }
      return ready;
    } catch (failed) {
      await stopAll([...ready.values()], AbortSignal.abort());
      throw failed;
    }
  }

  async #commit(
    steps: readonly Step[],
    ready: ReadonlyMap<string, Instance>,
    next: Sections,
  ): Promise<void> {
    const old = steps.flatMap(({ service }) => this.#running.get(service) ?? []);
    for (const { service } of steps) {
      const instance = ready.get(service);
      if (instance) {
        instance.start();
        this.#running.set(service, instance);
      } else {
        this.#running.delete(service);
      }
    }
    this.#config = next;
    const gone = stopAll(old, this.#host.clock.deadline(GRACE_MS)).catch((error: unknown) =>
      this.#host.log.error("a replaced service did not stop cleanly", { error }),
    );
    this.#leaving.add(gone);
    await gone;
    this.#leaving.delete(gone);
  }
}

async function stopAll(instances: readonly Instance[], deadline: AbortSignal): Promise<void> {
  await Promise.all(instances.map((instance) => instance.stop(deadline)));
}
