/** Verdicts on their way from the supervisor's prober to a worker. */
import { expect, test } from "bun:test";

import { Channel } from "../../src/app/channel.ts";
import type { Orders, Requests } from "../../src/app/messages.ts";
import { RemoteHealth } from "../../src/app/remote-health.ts";
import { wantsPing } from "../../src/app/wants-ping.ts";
import { WorkerHealth } from "../../src/app/worker-health.ts";
import type { Target } from "../../src/net/health/check.ts";
import type { Health, Verdict } from "../../src/net/health/health.ts";

const UP: Verdict = { state: "up", since: 1, why: "" };
const DOWN: Verdict = { state: "down", since: 2, why: "timeout" };

const target: Target = {
  host: "192.0.2.1",
  port: undefined,
  check: { kind: "icmp", interval: 1000, timeout: 100, rise: 1, fall: 1 },
};

/** Health that a test turns by hand. */
class ByHand implements Health {
  verdicts: Verdict[] = [];
  open = 0;
  hurried = 0;
  #changed = new Set<() => void>();

  async watch(targets: readonly Target[], changed: () => void) {
    if (targets.some(({ host }) => host === "forbidden")) throw new Error("not allowed here");
    this.verdicts = targets.map(() => UP);
    this.open++;
    this.#changed.add(changed);
    const read = () => this.verdicts;
    return {
      get verdicts() {
        return read();
      },
      hurry: () => {
        this.hurried++;
      },
      close: () => {
        this.open--;
        this.#changed.delete(changed);
      },
    };
  }
  turn(i: number, verdict: Verdict): void {
    this.verdicts = this.verdicts.with(i, verdict);
    for (const changed of this.#changed) changed();
  }
}

/** A worker and its supervisor; every message between them is JSON and counted. */
function pair(health: Health) {
  let messages = 0;
  const cross = (message: unknown): unknown => {
    messages++;
    return JSON.parse(JSON.stringify(message));
  };
  const desk = new WorkerHealth(health, (news) => void supervisor.call("health", news));
  const handlers = {
    watch: (ask: Requests["watch"]["ask"]) => desk.watch(ask),
    hurry: ({ ticket }: { ticket: number }) => {
      desk.hurry(ticket);
      return null;
    },
    unwatch: ({ ticket }: { ticket: number }) => {
      desk.unwatch(ticket);
      return null;
    },
  };
  const supervisor = new Channel<
    Pick<Orders, "health">,
    Pick<Requests, "watch" | "hurry" | "unwatch">
  >((message) => worker.receive(cross(message)), handlers);
  const worker: Channel<Requests, Pick<Orders, "health">> = new Channel(
    (message) => supervisor.receive(cross(message)),
    {
      health: (news) => {
        remote.load(news);
        return null;
      },
    },
  );
  const remote = new RemoteHealth(worker as unknown as Channel<Requests, Orders>);
  return { remote, desk, messages: () => messages };
}

test("a worker begins with the verdicts there are, and hears of every change", async () => {
  const health = new ByHand();
  const { remote } = pair(health);
  const told: string[] = [];
  const watched = await remote.watch([target, { ...target, host: "192.0.2.2" }], () =>
    told.push(watched.verdicts.map((v) => v.state).join(" ")),
  );
  expect(watched.verdicts).toEqual([UP, UP]);
  health.turn(1, DOWN);
  expect(told).toEqual(["up down"]);
  expect(watched.verdicts[1]).toEqual(DOWN);
});

test("news come at once; what follows within 20 ms comes together, and whole", async () => {
  const health = new ByHand();
  const { remote, messages } = pair(health);
  const many = Array.from({ length: 100 }, (_, i) => ({ ...target, host: `192.0.2.${i}` }));
  let told = 0;
  const watched = await remote.watch(many, () => told++);
  const before = messages();
  for (let i = 0; i < 100; i++) health.turn(i, DOWN);
  expect([told, watched.verdicts.filter((v) => v.state === "down").length]).toEqual([1, 1]);
  await Bun.sleep(40);
  expect([told, watched.verdicts.filter((v) => v.state === "down").length]).toEqual([2, 100]);
  expect(messages() - before).toBe(4); // two orders and their answers
});

test("an answer that is older than the news does not undo them", () => {
  const remote = new RemoteHealth({
    call: async (kind) => {
      if (kind === "unwatch") return null as never;
      remote.load({ ticket: 1, version: 1, verdicts: [DOWN] });
      return { ticket: 1, version: 0, verdicts: [UP] } as never;
    },
  });
  const watching = remote.watch([target], () => {});
  expect(watching.then((w) => w.verdicts)).resolves.toEqual([DOWN]);
});

test("what cannot be probed is told to whoever wanted it", async () => {
  const { remote } = pair(new ByHand());
  const watching = remote.watch([{ ...target, host: "forbidden" }], () => {});
  expect(watching).rejects.toThrow("not allowed here");
});

test("whoever cannot wait for the next probe is heard, until it watches no more", async () => {
  const health = new ByHand();
  const { remote } = pair(health);
  const watched = await remote.watch([target], () => {});
  watched.hurry();
  expect(health.hurried).toBe(1);
  watched.close();
  watched.hurry();
  expect(health.hurried).toBe(1);
});

test("closing ends the supervisor's share; so does the worker's death", async () => {
  const health = new ByHand();
  const { remote, desk } = pair(health);
  const one = await remote.watch([target], () => {});
  await remote.watch([target], () => {});
  expect(health.open).toBe(2);
  one.close();
  one.close();
  expect(health.open).toBe(1);
  await desk.release();
  expect(health.open).toBe(0);
});

test.each([
  { story: "no section", sections: {}, wants: false },
  {
    story: "another kind",
    sections: { dns: { ns: { names: { a: { check: { kind: "tcp" } } } } } },
    wants: false,
  },
  {
    story: "deep inside",
    sections: { pools: [], dns: { ns: { names: { a: { check: { kind: "icmp" } } } } } },
    wants: true,
  },
  { story: "another key", sections: { x: { icon: { kind: "icmp" } } }, wants: false },
])("the right to ping is kept when it is needed: $story", ({ sections, wants }) => {
  expect(wantsPing(sections)).toBe(wants);
});
