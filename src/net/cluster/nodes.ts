import type { EtcdPlace } from "./etcd.ts";

/** The other appliances of the cluster. */
export interface Nodes {
  /** Where truth is kept that must not be lost or forked; undefined: each appliance has its own. */
  readonly truth: EtcdPlace | undefined;
  /**
   * Talk with those who have joined the same topic. `hear` is told what is said there, and what was
   * said before as far as it is remembered; `age` in milliseconds, whatever time it is elsewhere.
   * What is fleeting is told at once or not at all, and is not missed; without Redis the other
   * processes of this machine hear it all the same.
   */
  join(
    topic: string,
    hear: (text: string, age: number) => void,
    memory?: "lasting" | "fleeting",
  ): Talk;
}

/** One's seat at a topic. */
export interface Talk {
  /** Tell the others what was so `ago` milliseconds before now. Without Redis, once it is back. */
  say(text: string, ago: number): void;
  leave(): void;
}

/** There is no cluster. */
export const noNodes: Nodes = { truth: undefined, join: () => ({ say() {}, leave() {} }) };
