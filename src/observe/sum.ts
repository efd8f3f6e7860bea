import type { Family, MetricsSnapshot, Series } from "./metrics.ts";

/**
 * One snapshot out of many: series with the same name and labels are added up, the others kept.
 * Where two disagree on kind or buckets (two versions during an upgrade) the first one stands.
 */
export function sum(snapshots: readonly MetricsSnapshot[]): MetricsSnapshot {
  const families = new Map<string, { family: Family; series: Map<string, Series> }>();
  for (const { families: parts } of snapshots) {
    for (const part of parts) {
      const total = families.get(part.name);
      if (!total) {
        families.set(part.name, { family: part, series: add(new Map(), part.series) });
      } else if (total.family.kind === part.kind && sameBuckets(total.family, part)) {
        add(total.series, part.series);
      }
    }
  }
  return {
    families: [...families.values()].map(({ family, series }) => ({
      ...family,
      series: [...series.values()],
    })),
  };
}

/**
 * What still counts of a process that is gone: its counters and histograms, not its gauges.
 * Kept and summed with the living, so that a total never falls when a worker dies.
 */
export function lasting(snapshot: MetricsSnapshot): MetricsSnapshot {
  return { families: snapshot.families.filter((f) => f.kind !== "gauge") };
}

function add(into: Map<string, Series>, series: readonly Series[]): Map<string, Series> {
  for (const one of series) {
    const key = JSON.stringify(Object.entries(one.labels).sort(([a], [b]) => (a < b ? -1 : 1)));
    const known = into.get(key);
    into.set(key, known ? plus(known, one) : one);
  }
  return into;
}

function plus(a: Series, b: Series): Series {
  if (a.counts && b.counts) {
    const counts = a.counts.map((n, i) => n + (b.counts?.[i] ?? 0));
    return { labels: a.labels, counts, sum: (a.sum ?? 0) + (b.sum ?? 0) };
  }
  return { labels: a.labels, value: (a.value ?? 0) + (b.value ?? 0) };
}

function sameBuckets(a: Family, b: Family): boolean {
  return a.buckets?.join() === b.buckets?.join();
}
