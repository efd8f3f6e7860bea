import { describe, expect, test } from "bun:test";

import { Registry } from "../../src/observe/registry.ts";

describe("handles", () => {
  test("the same name and labels give the same handle, in any order of labels", () => {
    const registry = new Registry();
    registry.counter("tern_hits_total", "Hits.", { site: "a", code: "200" }).add(2);
    const again = registry.counter("tern_hits_total", "Hits.", { code: "200", site: "a" });
    again.add(1);
    expect(again.value).toBe(3);
    expect(registry.snapshot().families[0]!.series).toEqual([
      { labels: { code: "200", site: "a" }, value: 3 },
    ]);
  });

  test("a gauge goes up and down", () => {
    const open = new Registry().gauge("tern_connections", "Open connections.");
    open.set(5);
    open.add(-2);
    expect(open.value).toBe(3);
  });

  test.each([
    { value: 0.05, bin: 0 },
    { value: 0.1, bin: 0 },
    { value: 0.2, bin: 1 },
    { value: 1, bin: 1 },
    { value: 7, bin: 2 },
    { value: Infinity, bin: 2 },
  ])("$value falls into bucket $bin of 0.1, 1, +Inf", ({ value, bin }) => {
    const registry = new Registry();
    registry.histogram("tern_wait_seconds", "Wait.", [0.1, 1]).observe(value);
    const counts = [0, 0, 0];
    counts[bin] = 1;
    expect(registry.snapshot().families[0]!.series[0]).toEqual({ labels: {}, counts, sum: value });
  });

  test("NaN is not an observation", () => {
    const registry = new Registry();
    registry.histogram("tern_wait_seconds", "Wait.", [1]).observe(Number.NaN);
    expect(registry.snapshot().families[0]!.series[0]).toEqual({
      labels: {},
      counts: [0, 0],
      sum: 0,
    });
  });
});

type Misuse = { story: string; make: (r: Registry) => unknown; says: string };
test.each<Misuse>([
  {
    story: "kind",
    make: (r) => r.gauge("tern_x", "").add(r.histogram("tern_x", "", [1]) as never),
    says: "tern_x is a gauge, not a histogram",
  },
  {
    story: "buckets",
    make: (r) => [r.histogram("h", "", [1]), r.histogram("h", "", [2])],
    says: "h already has other buckets",
  },
  {
    story: "falling buckets",
    make: (r) => r.histogram("h", "", [2, 1]),
    says: "buckets of h must rise",
  },
  { story: "no buckets", make: (r) => r.histogram("h", "", []), says: "buckets of h must rise" },
  {
    story: "NaN bucket",
    make: (r) => r.histogram("h", "", [Number.NaN]),
    says: "buckets of h must rise",
  },
  { story: "name", make: (r) => r.gauge("a-b", ""), says: "a-b is not a metric name" },
  {
    story: "counter name",
    make: (r) => r.counter("hits", ""),
    says: "counter hits must end in _total",
  },
  {
    story: "gauge name",
    make: (r) => r.gauge("a_total", ""),
    says: "gauge a_total must not end in _total",
  },
  {
    story: "label",
    make: (r) => r.gauge("a", "", { "b-c": "" }),
    says: "a: b-c is not a label name",
  },
  {
    story: "le is the histogram's",
    make: (r) => r.gauge("a", "", { le: "1" }),
    says: "a: le is not a label name",
  },
  {
    story: "a counter going down",
    make: (r) => r.counter("a_total", "").add(-1),
    says: "a counter only goes up, not by -1",
  },
  {
    story: "a counter of NaN",
    make: (r) => r.counter("a_total", "").add(Number.NaN),
    says: "a counter only goes up, not by NaN",
  },
])("misuse of $story throws", ({ make, says }) => {
  expect(() => make(new Registry())).toThrow(says);
});

describe("onSnapshot", () => {
  test("is asked before every snapshot until it is taken back", () => {
    const registry = new Registry();
    const gauge = registry.gauge("tern_memory_bytes", "Memory.");
    let reads = 0;
    const stop = registry.onSnapshot(() => gauge.set(++reads));
    registry.snapshot();
    registry.snapshot();
    stop();
    registry.snapshot();
    expect(gauge.value).toBe(2);
  });

  test("one that throws is counted and costs nobody else", () => {
    const registry = new Registry();
    const gauge = registry.gauge("tern_b", "B.");
    registry.onSnapshot(() => {
      throw new Error("gone");
    });
    registry.onSnapshot(() => gauge.set(1));
    const names = registry.snapshot().families.map((f) => [f.name, f.series[0]!.value]);
    expect(names).toEqual([
      ["tern_b", 1],
      ["tern_metrics_refresh_failures_total", 1],
    ]);
  });
});

test("a snapshot is plain JSON and does not change afterwards", () => {
  const registry = new Registry();
  const hits = registry.counter("tern_hits_total", "Hits.");
  hits.add(1);
  const before = registry.snapshot();
  hits.add(1);
  expect(JSON.parse(JSON.stringify(before))).toEqual(before);
  expect(before.families[0]!.series[0]!.value).toBe(1);
});
