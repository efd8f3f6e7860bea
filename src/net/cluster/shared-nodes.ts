import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Metrics } from "../../observe/metrics.ts";
import type { EtcdPlace } from "./etcd.ts";
import type { Nodes, Talk } from "./nodes.ts";
import type { RedisPlace } from "./redis-link.ts";
import { TalkOverRedis } from "./talk-over-redis.ts";

export interface NodesParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** The other nodes, by way of the cluster's Redis; connected only when somebody has joined a topic. */
export class SharedNodes implements Nodes {
  readonly #parts: NodesParts;
  readonly #talks = new Set<TalkOverRedis>();
  readonly #count: (what: "told" | "heard" | "lost", n: number) => void;
  truth: EtcdPlace | undefined;
  #place: RedisPlace | undefined;

  constructor(parts: NodesParts) {
    this.#parts = parts;
    const help = "What services of this node tell those of others over Redis, such as purges.";
    const counter = (what: string) =>
      parts.metrics.counter("tern_cluster_words_total", help, { what });
    const counters = { told: counter("told"), heard: counter("heard"), lost: counter("lost") };
    this.#count = (what, n) => counters[what].add(n);
  }

  /** From now on over this Redis, or over none. */
  change(place: RedisPlace | undefined): void {
    this.#place = place;
    for (const talk of this.#talks) talk.change(place);
  }

  join(
    topic: string,
    hear: (text: string, age: number) => void,
    memory: "lasting" | "fleeting" = "lasting",
  ): Talk {
    const log = this.#parts.log.with({ topic });
    const talk = new TalkOverRedis(topic, {
      clock: this.#parts.clock,
      hear,
      fleeting: memory === "fleeting",
      count: this.#count,
      lost: (whose, n) =>
        log.warn(
          whose === "ours"
            ? "too much was said while Redis was away: other nodes never hear of some of it"
            : "another node said things that never came here",
          { lost: n },
        ),
    });
    this.#talks.add(talk);
    talk.change(this.#place);
    return {
      say: (text, ago) => talk.say(text, ago),
      leave: () => {
        this.#talks.delete(talk);
        talk.leave();
      },
    };
  }
}
