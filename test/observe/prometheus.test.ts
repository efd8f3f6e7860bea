import { expect, test } from "bun:test";

import fc from "fast-check";

import { expose } from "../../src/observe/prometheus.ts";
import { Registry } from "../../src/observe/registry.ts";
import { needs } from "../sys/needs.ts";

function example(label: string): Registry {
  const registry = new Registry();
  registry
    .counter("tern_requests_total", "Requests\\answered,\nall of them.", { path: label })
    .add(3);
  registry.gauge("tern_connections", "Open connections.").set(-1.5);
  const wait = registry.histogram("tern_wait_seconds", "Wait.", [0.1, 1], { path: label });
  for (const s of [0.05, 0.5, 0.6, 3]) wait.observe(s);
  return registry;
}

test("text exposition 0.0.4", () => {
  const text = expose(example('a"b\\c\nd').snapshot());
  expect(text).toBe(
    [
      "# HELP tern_requests_total Requests\\\\answered,\\nall of them.",
      "# TYPE tern_requests_total counter",
      'tern_requests_total{path="a\\"b\\\\c\\nd"} 3',
      "# HELP tern_connections Open connections.",
      "# TYPE tern_connections gauge",
      "tern_connections -1.5",
      "# HELP tern_wait_seconds Wait.",
      "# TYPE tern_wait_seconds histogram",
      'tern_wait_seconds_bucket{path="a\\"b\\\\c\\nd",le="0.1"} 1',
      'tern_wait_seconds_bucket{path="a\\"b\\\\c\\nd",le="1"} 3',
      'tern_wait_seconds_bucket{path="a\\"b\\\\c\\nd",le="+Inf"} 4',
      'tern_wait_seconds_sum{path="a\\"b\\\\c\\nd"} 4.15',
      'tern_wait_seconds_count{path="a\\"b\\\\c\\nd"} 4',
      "",
    ].join("\n"),
  );
});

test.each([
  { n: Infinity, text: "g +Inf" },
  { n: -Infinity, text: "g -Inf" },
  { n: Number.NaN, text: "g NaN" },
  { n: 1e21, text: "g 1e+21" },
])("$n is written $text", ({ n, text }) => {
  const registry = new Registry();
  registry.gauge("g", "G.").set(n);
  expect(expose(registry.snapshot())).toEndWith(`\n${text}\n`);
});

test("a label cannot start a line of its own", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (label) => {
      expect(expose(example(label).snapshot()).split("\n")).toHaveLength(14);
    }),
  );
});

const promtool = Bun.which("promtool");
needs(promtool !== null, "promtool (prometheus)")("promtool finds nothing to say about it", () => {
  for (const label of ["/", 'a"b\\c\nd', "\ud800é🐦"]) {
    const run = Bun.spawnSync([promtool ?? "", "check", "metrics"], {
      stdin: Buffer.from(expose(example(label).snapshot())),
    });
    expect({ code: run.exitCode, says: run.stderr.toString() }).toEqual({ code: 0, says: "" });
  }
});
