import type {
  Counter,
  Family,
  Gauge,
  Histogram,
  Labels,
  Metrics,
  MetricsSnapshot,
  Series,
} from "./metrics.ts";

/** Prometheus data model; the colon it also allows in names is kept for recording rules. */
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
/** Labels that start with two underscores belong to Prometheus, `le` to histograms. */
const LABEL = /^(?!__|le$)[a-zA-Z_][a-zA-Z0-9_]*$/;

const REFRESH_FAILURES = "tern_metrics_refresh_failures_total";

/**
 * The counters of this process. A name used twice in ways that do not agree is a mistake of ours
 * and throws when the handle is made, never when it is added to.
 */
export class Registry implements Metrics {
  #families = new Map<string, Kept>();
  #refreshers = new Set<() => void>();

  counter(name: string, help: string, labels: Labels = {}): Counter {
    if (!name.endsWith("_total")) throw new TypeError(`counter ${name} must end in _total`);
    return this.#cell("counter", name, help, labels);
  }

  gauge(name: string, help: string, labels: Labels = {}): Gauge {
    if (name.endsWith("_total")) throw new TypeError(`gauge ${name} must not end in _total`);
    return this.#cell("gauge", name, help, labels);
  }

  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labels: Labels = {},
  ): Histogram {
    if (buckets.length === 0 || buckets.some((b, i) => !(b > (buckets[i - 1] ?? -Infinity)))) {
      throw new TypeError(`buckets of ${name} must rise`);
    }
    const family = this.#family("histogram", name, help, buckets);
    const made = series(family, labels, () => new Bins(family.buckets ?? buckets));
    return made as Bins; // the family holds only what its kind makes
  }

  onSnapshot(refresh: () => void): () => void {
    const own = () => refresh(); // the same function given twice is two refreshers
    this.#refreshers.add(own);
    return () => void this.#refreshers.delete(own);
  }

  snapshot(): MetricsSnapshot {
    for (const refresh of this.#refreshers) {
      try {
        refresh();
      } catch {
        // One that breaks must not take the whole page down.
        this.counter(REFRESH_FAILURES, "Gauges that could not be read before a snapshot.").add(1);
      }
    }
    return { families: [...this.#families.values()].map(show) };
  }

  #cell(kind: "counter" | "gauge", name: string, help: string, labels: Labels): Counter & Gauge {
    const family = this.#family(kind, name, help, undefined);
    const made = series(family, labels, () => (kind === "counter" ? new Count() : new Level()));
    return made as Counter & Gauge; // the family holds only what its kind makes
  }

  #family(
    kind: Family["kind"],
    name: string,
    help: string,
    buckets: readonly number[] | undefined,
  ): Kept {
    const known = this.#families.get(name);
    if (known) {
      if (known.kind !== kind) throw new TypeError(`${name} is a ${known.kind}, not a ${kind}`);
      if (buckets?.join() !== known.buckets?.join()) {
        throw new TypeError(`${name} already has other buckets`);
      }
      return known;
    }
    if (!NAME.test(name)) throw new TypeError(`${name} is not a metric name`);
    const family: Kept = { name, help, kind, buckets: buckets && [...buckets], cells: new Map() };
    this.#families.set(name, family);
    return family;
  }
}

type Cell = Count | Level | Bins;

interface Kept {
  readonly name: string;
  readonly help: string;
  readonly kind: Family["kind"];
  readonly buckets: readonly number[] | undefined;
  readonly cells: Map<string, { readonly labels: Labels; readonly cell: Cell }>;
}

class Count implements Counter {
  #value = 0;
  add(n: number): void {
    if (!(n >= 0)) throw new RangeError(`a counter only goes up, not by ${n}`);
    this.#value += n;
  }
  get value(): number {
    return this.#value;
  }
}

class Level implements Gauge {
  #value = 0;
  set(n: number): void {
    this.#value = n;
  }
  add(n: number): void {
    this.#value += n;
  }
  get value(): number {
    return this.#value;
  }
}

class Bins implements Histogram {
  readonly #upTo: Float64Array;
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(buckets: readonly number[]) {
    this.#upTo = Float64Array.from(buckets);
    this.#counts = new Float64Array(buckets.length + 1);
  }

  observe(value: number): void {
    if (value !== value) return; // NaN would spoil the sum for good
    const upTo = this.#upTo;
    let i = 0; // a walk beats a binary search at the dozen buckets a histogram has
    while (i < upTo.length && value > upTo[i]!) i++;
    this.#counts[i]!++;
    this.#sum += value;
  }

  read(): { counts: number[]; sum: number } {
    return { counts: [...this.#counts], sum: this.#sum };
  }
}

/** The cell for `labels`, whatever order they come in. */
function series(family: Kept, labels: Labels, make: () => Cell): Cell {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  const key = JSON.stringify(sorted);
  const known = family.cells.get(key);
  if (known) return known.cell;
  for (const [name] of sorted) {
    if (!LABEL.test(name)) throw new TypeError(`${family.name}: ${name} is not a label name`);
  }
  const cell = make();
  family.cells.set(key, { labels: Object.fromEntries(sorted), cell });
  return cell;
}

function show({ name, help, kind, buckets, cells }: Kept): Family {
  const shown = [...cells.values()].map(({ labels, cell }): Series => {
    return cell instanceof Bins ? { labels, ...cell.read() } : { labels, value: cell.value };
  });
  return { name, help, kind, ...(buckets && { buckets }), series: shown };
}
