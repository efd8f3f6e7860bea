import type { Ran } from "../admin/run-action.ts";
import type { Snapshot } from "../net/tls/store.ts";
import type { MetricsSnapshot } from "../observe/metrics.ts";
import type { Config } from "./config-text.ts";
import type { Crew, Member, Pending, Renewal } from "./crew.ts";
import { merge } from "./merge.ts";
import type { Forms, Orders } from "./messages.ts";
import { plan, type Sections } from "./plan.ts";
import { SERVICES } from "./services.ts";
import { Slot, type SlotParts } from "./slot.ts";
import type { StuckClients } from "./stuck-clients.ts";
import { WorkerProcess } from "./worker-process.ts";

/** Whoever asks for the status waits no longer than this for a worker that is busy. */
const PATIENCE_MS = 1000;
/** A worker that was told to end and missed its own deadline is killed this much later. */
const LATE_MS = 2000;

/** What the crew is lent; the rest of what a slot needs it has itself. */
type WorkersParts = Omit<
  SlotParts,
  "count" | "config" | "spawn" | "stuck" | "told" | "whereClientsAre"
> & {
  readonly stuck: StuckClients;
  /** In which they count together. */
  readonly memory: number | undefined;
};

/** `workers: 2` and more: one process per event loop, all listening on the same addresses. */
export class Workers implements Crew {
  readonly #parts: WorkersParts;
  readonly #slots: readonly Slot[];
  #config: Config;
  #sections: Sections = {};
  #actions: Forms = {};

  private constructor(count: number, config: Config, parts: WorkersParts) {
    this.#config = config;
    this.#parts = parts;
    this.#slots = Array.from(
      { length: count },
      (_, index) =>
        new Slot(index, {
          ...parts,
          count,
          config: () => this.#config,
          whereClientsAre: () => parts.stuck.all,
          stuck: (from, news) => {
            parts.stuck.hear(news);
            this.#toOthers(from, "stuck", news);
          },
          told: (from, word) => this.#toOthers(from, "told", word),
          spawn: (slot, handlers, log) => new WorkerProcess(slot, handlers, log, parts.memory),
        }),
    );
  }

  /** Start so many processes. Rejects when one cannot be started; then none is left. */
  static async begin(count: number, config: Config, parts: WorkersParts): Promise<Workers> {
    const crew = new Workers(count, config, parts);
    const starts = await Promise.allSettled(crew.#slots.map((slot) => slot.launch(config)));
    const failed = starts.find((start) => start.status === "rejected");
    if (!failed) return crew;
    await crew.stop(0);
    throw failed.reason;
  }

  get size(): number {
    return this.#slots.length;
  }

  get serving(): number {
    return this.#slots.filter((slot) => slot.serving).length;
  }

  get actions(): Forms {
    return this.#actions;
  }

  async prepare(config: Config, how: Renewal): Promise<Pending> {
    await Promise.all(this.#slots.map((slot) => slot.settled()));
    // A worker that is down has no part in this: it starts with what is in force then.
    const here = this.#slots.flatMap((slot) => {
      const { channel } = slot;
      return channel ? [{ slot, channel }] : [];
    });
    const abandon = async (of: typeof here): Promise<void> => {
      await Promise.allSettled(of.map(({ channel }) => channel.call("abandon", null)));
    };
    const prepared = await Promise.allSettled(
      here.map(({ channel }) => channel.call("prepare", { config: config.source, how })),
    );
    const failed = prepared.find((one) => one.status === "rejected");
    if (failed) {
      await abandon(here.filter((_, i) => prepared[i]?.status === "fulfilled"));
      throw failed.reason;
    }
    return {
      changed: plan(SERVICES, this.#sections, config.sections, how).map((step) => step.service),
      commit: async () => {
        this.#config = config; // first: a worker that dies now starts again with it
        this.#sections = config.sections;
        await Promise.allSettled(
          here.map(async ({ slot, channel }) => {
            await slot.commit(channel);
            slot.serves(config);
          }),
        );
        // From now on a worker that dies, be it just now, is started again.
        for (const slot of this.#slots) slot.keep();
        this.#actions = await this.#askActions();
      },
      abandon: () => abandon(here),
    };
  }

  members(): Promise<Member[]> {
    return Promise.all(this.#slots.map((slot) => slot.member(PATIENCE_MS)));
  }

  async metrics(): Promise<MetricsSnapshot[]> {
    const members = await this.members();
    const past = this.#slots.map((slot) => slot.past);
    return [...past, ...members.flatMap(({ report }) => report?.metrics ?? [])];
  }

  async act(service: string, action: string, input: unknown): Promise<Ran> {
    const asked = this.#channels().map((channel) =>
      channel.call("act", { service, action, input }),
    );
    if (asked.length === 0) throw new Error("no worker is up");
    const all = await Promise.all(asked);
    const refused = all.find((ran) => ran.kind === "refused");
    return (
      refused ?? {
        kind: "done",
        value: merge(all.flatMap((ran) => (ran.kind === "done" ? [ran.value] : []))),
      }
    );
  }

  async certificates(state: Snapshot): Promise<void> {
    await Promise.allSettled(
      this.#channels().map((channel) => channel.call("certificates", state)),
    );
  }

  reopen(): void {
    for (const channel of this.#channels()) channel.call("reopen", null).catch(() => {}); // it died
  }

  async stop(within: number): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.stop(within, LATE_MS)));
  }

  /** What one worker says, to the others. */
  #toOthers<Name extends "stuck" | "told">(
    from: number,
    name: Name,
    said: Orders[Name]["ask"],
  ): void {
    for (const [index, { channel }] of this.#slots.entries())
      if (index !== from) channel?.call(name, said).catch(() => {}); // it died
  }

  #channels(): NonNullable<Slot["channel"]>[] {
    return this.#slots.flatMap((slot) => slot.channel ?? []);
  }

  /** All run the same services: the first that answers knows. */
  async #askActions(): Promise<Forms> {
    try {
      return await Promise.any(this.#channels().map((channel) => channel.call("actions", null)));
    } catch (error) {
      this.#parts.log.warn("no worker told its actions", { error });
      return {};
    }
  }
}
