import type { Family, Labels, MetricsSnapshot } from "./metrics.ts";

/** Content-Type of what `expose` writes. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** The snapshot in Prometheus text exposition format 0.0.4. Families without series are left out. */
export function expose(snapshot: MetricsSnapshot): string {
  return snapshot.families
    .filter((f) => f.series.length > 0)
    .map(block)
    .join("");
}

function block(family: Family): string {
  const { name, kind } = family;
  const head = `# HELP ${name} ${escapeHelp(family.help)}\n# TYPE ${name} ${kind}\n`;
  return head + (kind === "histogram" ? histograms(family) : values(family));
}

function values({ name, series }: Family): string {
  return series.map((s) => `${name}${braces(s.labels)} ${number(s.value ?? 0)}\n`).join("");
}

/** Buckets are counted apart in a snapshot and cumulative here; the last one is everything. */
function histograms({ name, buckets = [], series }: Family): string {
  let text = "";
  for (const { labels, counts = [], sum = 0 } of series) {
    let total = 0;
    for (const [i, n] of counts.entries()) {
      total += n;
      const le = number(buckets[i] ?? Infinity);
      text += `${name}_bucket${braces({ ...labels, le })} ${number(total)}\n`;
    }
    text += `${name}_sum${braces(labels)} ${number(sum)}\n`;
    text += `${name}_count${braces(labels)} ${number(total)}\n`;
  }
  return text;
}

function braces(labels: Labels): string {
  const pairs = Object.entries(labels).map(([k, value]) => `${k}="${escapeValue(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function number(n: number): string {
  if (n === Infinity) return "+Inf";
  return n === -Infinity ? "-Inf" : String(n);
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeValue(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"').toWellFormed(); // a lone surrogate is not UTF-8
}
