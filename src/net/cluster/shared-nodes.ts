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
  /** Tell the other processes of this machine, whose `heardNearby` is called. */
  readonly tellNearby: (word: Word) => void;
}

/** Something fleeting that is said at a topic. */
export interface Word {
  readonly topic: string;
  readonly text: string;
}

/**
 * The other nodes, by way of the cluster's Redis, connected only when somebody has joined a topic;
 * and the other processes of this machine.
 */
export class SharedNodes implements Nodes {
  readonly #parts: NodesParts;
  readonly #talks = new Set<TalkOverRedis>();
  /** Those who are to hear what is fleeting, by topic. */
  readonly #near = new Map<string, Set<(text: string, age: number) => void>>();
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
    const near = memory === "fleeting" ? this.#nearby(topic) : undefined;
    near?.add(hear);
    return {
      say: (text, ago) => {
        if (this.#place !== undefined)
          talk.say(text, ago); // which those nearby hear too
        else if (near !== undefined) this.#parts.tellNearby({ topic, text });
      },
      leave: () => {
        near?.delete(hear);
        if (near?.size === 0) this.#near.delete(topic);
        this.#talks.delete(talk);
        talk.leave();
      },
    };
  }

  /** Another process of this machine has said this, just now. */
  heardNearby({ topic, text }: Word): void {
    for (const hear of this.#near.get(topic) ?? []) hear(text, 0);
  }

  #nearby(topic: string): Set<(text: string, age: number) => void> {
    const known = this.#near.get(topic) ?? new Set();
    this.#near.set(topic, known);
    return known;
  }
}
