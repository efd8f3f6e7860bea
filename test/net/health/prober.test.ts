import { expect, test } from "bun:test";

import { keyOf, type Target } from "../../../src/net/health/check.ts";
import { Prober } from "../../../src/net/health/prober.ts";
import { Registry } from "../../../src/observe/registry.ts";
import { FakeClock } from "../../fake/clock.ts";
import { memoryLog } from "../../fake/log.ts";

const rhythm = { interval: 1000, timeout: 200, rise: 2, fall: 2 };

function target(host: string, more: object = {}): Target {
  return { host, port: undefined, check: { kind: "icmp", ...rhythm, ...more } };
}

/** A prober of servers that a test takes down by name. */
function hospital() {
  const clock = new FakeClock();
  const down = new Set<string>();
  const asked: string[] = [];
  const log = memoryLog();
  const metrics = new Registry();
  const prober = new Prober({
    clock,
    wall: () => 1_700_000_000_000 + clock.now(),
    dice: () => 0.5,
    log,
    metrics,
    probeFor: ({ host }) => {
      if (host === "forbidden") throw new Error("not allowed here");
      return async () => {
        asked.push(host);
        if (host === "silent") await new Promise(() => {});
        return down.has(host) ? "refused" : undefined;
      };
    },
  });
  return { clock, down, asked, log, metrics, prober };
}

test("a start waits for the first verdict of everything", async () => {
  const { clock, down, prober } = hospital();
  down.add("b");
  const watching = prober.watch([target("a"), target("b")], () => {});
  await clock.advance(300);
  const { verdicts } = await watching;
  expect(verdicts.map(({ state, why }) => [state, why])).toEqual([
    ["up", ""],
    ["down", "refused"],
  ]);
  expect(verdicts[1]?.since).toBe(1_700_000_000_200);
});

test("but not for ever: what cannot be told by then is unknown", async () => {
  const { clock, prober } = hospital();
  const slow = target("silent", { timeout: 2000, fall: 9 });
  const watching = prober.watch([target("a"), slow], () => {});
  await clock.advance(3000);
  expect((await watching).verdicts.map((v) => v.state)).toEqual(["up", "unknown"]);
});

test("equal targets are probed once, whoever watches them", async () => {
  const { clock, asked, prober } = hospital();
  const two = await settled(
    clock,
    Promise.all([
      prober.watch([target("a"), target("a")], () => {}),
      prober.watch([target("a")], () => {}),
    ]),
  );
  expect([prober.size, asked.length]).toEqual([1, 1]);
  two[0]?.close();
  await clock.advance(1000);
  expect([prober.size, asked.length]).toEqual([1, 2]);
  two[1]?.close();
  await clock.advance(5000);
  expect([prober.size, asked.length]).toEqual([0, 2]);
});

test("whoever watches is told of changes, and of nothing after closing", async () => {
  const { clock, down, prober } = hospital();
  const told: string[] = [];
  const watched = await settled(
    clock,
    prober.watch([target("a"), target("b")], () =>
      told.push(watched.verdicts.map((v) => v.state).join(" ")),
    ),
  );
  down.add("a");
  await clock.advance(2500);
  down.add("b");
  await clock.advance(2500);
  watched.close();
  down.clear();
  await clock.advance(5000);
  expect(told).toEqual(["down up", "down down"]);
});

test("a kind that cannot be probed here refuses the whole list, and nothing is left", async () => {
  const { prober } = hospital();
  const watching = prober.watch([target("a"), target("forbidden")], () => {});
  expect(watching).rejects.toThrow("not allowed here");
  expect(prober.size).toBe(0);
});

test("the log says what went down and came back, not what was up all along", async () => {
  const { clock, down, log, metrics, prober } = hospital();
  await settled(
    clock,
    prober.watch([target("a"), target("b")], () => {}),
  );
  down.add("a");
  await clock.advance(3000);
  const gauges = metrics.snapshot().families.find((f) => f.name === "tern_health_targets");
  expect(gauges?.series.map((s) => [s.labels["state"], s.value])).toEqual([
    ["up", 1],
    ["down", 1],
  ]);
  down.delete("a");
  await clock.advance(3000);
  expect(log.lines).toEqual(["warn a server is down", "info a server is up"]);
  expect(log.fields[0]).toEqual({ target: "icmp a", why: "refused" });
});

test("targets are one when nothing about them differs, in whatever order it is said", () => {
  const a = target("a", { rise: 2 });
  const same: Target = {
    check: { fall: 2, rise: 2, timeout: 200, interval: 1000, kind: "icmp" },
    port: undefined,
    host: "a",
  };
  expect(keyOf(a)).toBe(keyOf(same));
  expect(keyOf(a)).not.toBe(keyOf(target("a", { rise: 3 })));
  expect(keyOf(a)).not.toBe(keyOf({ ...a, port: 80 }));
});

async function settled<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  await clock.advance(0);
  return promise;
}
