/**
 * Counters, gauges and histograms, in the Prometheus data model. Every process has its own
 * registry; snapshots are summed by the supervisor (see sum.ts) and printed (see prometheus.ts).
 * Handles are made once, at prepare; adding to one allocates nothing.
 */

export interface Counter {
  add(n: number): void;
  readonly value: number;
}
export interface Gauge {
  set(n: number): void;
  add(n: number): void;
  readonly value: number;
}
export interface Histogram {
  /** `value` in the unit of the name (seconds, bytes). */
  observe(value: number): void;
}

export type Labels = Readonly<Record<string, string>>;

export interface Metrics {
  /** The same name and labels give the same handle. Names end in `_total`, `_bytes`, `_seconds`. */
  counter(name: string, help: string, labels?: Labels): Counter;
  gauge(name: string, help: string, labels?: Labels): Gauge;
  histogram(name: string, help: string, buckets: readonly number[], labels?: Labels): Histogram;
  /** Called before every snapshot: set gauges that are cheaper to read than to keep. */
  onSnapshot(refresh: () => void): () => void;
  snapshot(): MetricsSnapshot;
}

/** Plain JSON, so that it can cross a process boundary. */
export interface MetricsSnapshot {
  readonly families: readonly Family[];
}
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly buckets?: readonly number[];
  readonly series: readonly Series[];
}
export interface Series {
  readonly labels: Labels;
  /** Counter and gauge. */
  readonly value?: number;
  /** Histogram: per bucket (not cumulative), the last is +Inf. */
  readonly counts?: readonly number[];
  readonly sum?: number;
}
