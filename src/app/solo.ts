import type { Ran } from "../admin/run-action.ts";
import { systemClock } from "../core/clock.ts";
import { SharedNodes } from "../net/cluster/shared-nodes.ts";
import type { PoolKeeper } from "../net/pools/pool.ts";
import type { MetricsSnapshot } from "../observe/metrics.ts";
import type { Stuck } from "../wire/cluster/sticky-news.ts";
import type { Config } from "./config-text.ts";
import type { Crew, Member, Pending, Renewal } from "./crew.ts";
import { type HostParts, makeHost } from "./host.ts";
import type { Forms } from "./messages.ts";
import { redisOf, truthOf } from "./redis-of.ts";
import { Reporter } from "./reporter.ts";
import { Roster } from "./roster.ts";
import { SERVICES } from "./services.ts";
import { Stickiness } from "./stickiness.ts";
import type { StuckClients } from "./stuck-clients.ts";

type SoloParts = Omit<HostParts, "worker" | "sticky" | "nodes"> & { readonly stuck: StuckClients };

/** `workers: 1`: everything in the process of the supervisor. */
export class Solo implements Crew {
  readonly size = 1;
  readonly #roster: Roster;
  readonly #fronts: ReturnType<typeof makeHost>["fronts"];
  readonly #reporter: Reporter;
  readonly #stickiness: Stickiness;
  readonly #nodes: SharedNodes;
  readonly #pools: PoolKeeper;
  /** Where clients were before there were pools. */
  readonly #stuck: Stuck[];
  #state: Member["state"] = "starting";
  #forms: Forms = {};

  constructor({ stuck, ...parts }: SoloParts) {
    const { registry, log } = parts;
    const tell = (news: readonly Stuck[]): void => stuck.hear(news);
    this.#stickiness = new Stickiness({ clock: systemClock, metrics: registry, tell });
    this.#stuck = stuck.all;
    const tellNearby = (): void => {}; // nobody is
    this.#nodes = new SharedNodes({ clock: systemClock, log, metrics: registry, tellNearby });
    const { host, fronts } = makeHost({
      ...parts,
      sticky: this.#stickiness,
      nodes: this.#nodes,
      worker: { index: 0, count: 1 },
    });
    this.#fronts = fronts;
    this.#pools = host.pools;
    this.#roster = new Roster(SERVICES, host);
    this.#reporter = new Reporter(0, this.#roster, fronts, registry);
  }

  get serving(): number {
    return this.#state === "serving" ? 1 : 0;
  }

  get actions(): Forms {
    return this.#forms;
  }

  async prepare(config: Config, how: Renewal): Promise<Pending> {
    this.#nodes.truth = truthOf(config.root.cluster);
    const change = await this.#roster.prepare(config.sections, how);
    return {
      changed: change.steps.map((step) => step.service),
      commit: async () => {
        this.#stickiness.change(config.root.cluster, config.sections);
        this.#nodes.change(redisOf(config.root.cluster));
        void change.commit(); // the old finishes by itself; it reports its own errors
        for (const { pool, client, server } of this.#stuck.splice(0))
          this.#pools.heard(pool, client, server);
        this.#forms = this.#roster.actions();
        this.#state = "serving";
      },
      abandon: () => change.abandon(),
    };
  }

  async members(): Promise<Member[]> {
    const report = this.#reporter.report();
    const { pid } = process;
    const state = this.#state;
    return [{ index: 0, pid, state, restarts: 0, lastDeath: undefined, report }];
  }

  /** The registry is the supervisor's own. */
  async metrics(): Promise<MetricsSnapshot[]> {
    return [];
  }

  act(service: string, action: string, input: unknown): Promise<Ran> {
    return this.#roster.act(service, action, input);
  }

  /** The store is the supervisor's own. */
  async certificates(): Promise<void> {}

  /** The logs are the supervisor's own. */
  reopen(): void {}

  async stop(within: number): Promise<void> {
    this.#state = "stopping";
    const deadline = systemClock.deadline(within);
    await this.#fronts.drain(deadline); // first: an open connection may still ask for a site
    await this.#roster.stop(deadline);
    this.#reporter.close();
  }
}
