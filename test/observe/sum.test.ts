import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import type { MetricsSnapshot } from "../../src/observe/metrics.ts";
import { Registry } from "../../src/observe/registry.ts";
import { lasting, sum } from "../../src/observe/sum.ts";

/** One thing a worker measures. Whole numbers, so that adding is exact. */
const happening = fc.record({
  kind: fc.constantFrom("counter", "gauge", "histogram"),
  site: fc.constantFrom("a", "b", "c"),
  n: fc.nat(1000),
});
type Happening = { kind: string; site: string; n: number };

function happen(registry: Registry, { kind, site, n }: Happening): void {
  if (kind === "counter") registry.counter("hits_total", "Hits.", { site }).add(n);
  else if (kind === "gauge") registry.gauge("open", "Open.", { site }).add(n);
  else registry.histogram("size_bytes", "Size.", [10, 100], { site }).observe(n);
}

function sorted(snapshot: MetricsSnapshot): unknown {
  return snapshot.families
    .map((f) => ({
      ...f,
      series: f.series.toSorted((a, b) =>
        JSON.stringify(a.labels) < JSON.stringify(b.labels) ? -1 : 1,
      ),
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

describe("sum", () => {
  test("of the parts is the whole, however the work was spread", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(happening, fc.nat(3))), (work) => {
        const whole = new Registry();
        const parts = Array.from({ length: 4 }, () => new Registry());
        for (const [what, worker] of work) {
          happen(whole, what);
          happen(parts[worker]!, what);
        }
        // Across a process boundary, as it is in life.
        const sent = parts.map((p) => JSON.parse(JSON.stringify(p.snapshot())) as MetricsSnapshot);
        expect(sorted(sum(sent))).toEqual(sorted(whole.snapshot()));
      }),
    );
  });

  test("of nothing is nothing", () => {
    expect(sum([])).toEqual({ families: [] });
  });

  test("does not change its parts", () => {
    const one = new Registry();
    happen(one, { kind: "histogram", site: "a", n: 5 });
    const part = one.snapshot();
    const before = structuredClone(part);
    sum([part, part]);
    expect(part).toEqual(before);
  });

  test("two versions that disagree on buckets: the first one stands", () => {
    const [old, next] = [new Registry(), new Registry()];
    old.histogram("size_bytes", "Size.", [1]).observe(1);
    next.histogram("size_bytes", "Size.", [1, 2]).observe(1);
    expect(sum([old.snapshot(), next.snapshot()])).toEqual(old.snapshot());
  });
});

test("a dead worker leaves its counters and takes its gauges with it", () => {
  const dead = new Registry();
  happen(dead, { kind: "counter", site: "a", n: 3 });
  happen(dead, { kind: "gauge", site: "a", n: 3 });
  happen(dead, { kind: "histogram", site: "a", n: 3 });
  const kept = lasting(dead.snapshot()).families.map((f) => f.name);
  expect(kept).toEqual(["hits_total", "size_bytes"]);
});
