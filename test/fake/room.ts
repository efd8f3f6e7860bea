import type { Nodes } from "../../src/net/cluster/nodes.ts";

/** Everybody hears at once what another says, `age` old. */
export class Room implements Nodes {
  readonly truth = undefined;
  age = 0;
  readonly said: string[] = [];
  readonly #hear = new Set<(text: string, age: number) => void>();
  join(_topic: string, hear: (text: string, age: number) => void) {
    this.#hear.add(hear);
    return {
      say: (text: string) => {
        this.said.push(text);
        for (const one of this.#hear) if (one !== hear) one(text, this.age);
      },
      leave: () => this.#hear.delete(hear),
    };
  }
  tell(text: string): void {
    for (const one of this.#hear) one(text, 0);
  }
}
