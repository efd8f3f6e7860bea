import type { BalanceStats, Figures, PoolStats } from "./answers.ts";

/** The pools, by name; none when that service does not run. */
export function poolsOf(figures: Figures | undefined): readonly (readonly [string, PoolStats])[] {
  return Object.entries((figures?.services["pools"] ?? {}) as Record<string, PoolStats>);
}

/** The services of `balance`, by name. */
export function balanceOf(
  figures: Figures | undefined,
): readonly (readonly [string, BalanceStats])[] {
  return Object.entries((figures?.services["balance"] ?? {}) as Record<string, BalanceStats>);
}

export interface Trouble {
  readonly tone: "bad" | "warn";
  readonly text: string;
  readonly to?: readonly string[];
}

const SOON_MS = 14 * 86_400_000; // ACME renews a month ahead: two weeks left means that it does not

/** What somebody should look at, worst first. */
export function troubles(figures: Figures, now: number): Trouble[] {
  const { status } = figures;
  const found: Trouble[] = [];
  if (status.state !== "serving")
    found.push({ tone: "warn", text: `The appliance is ${status.state}.` });
  for (const worker of status.workers) {
    const well = ["serving", "ready", "running"].includes(worker.state);
    if (!well) found.push({ tone: "bad", text: `Worker ${worker.index} is ${worker.state}.` });
  }
  if (status.lastReload?.ok === false)
    found.push({
      tone: "warn",
      text: "The last reload was refused; the config before it runs on.",
      to: ["config", "diff"],
    });
  for (const [name, pool] of poolsOf(figures)) found.push(...poolTroubles(name, pool));
  for (const { names, expires } of status.certificates) {
    if (expires === undefined || expires - now > SOON_MS) continue;
    const over = expires < now;
    const text = `The certificate of ${names.join(", ")} ${over ? "has expired" : "expires soon"}.`;
    found.push({ tone: over ? "bad" : "warn", text });
  }
  return found.sort((a, b) => Number(b.tone === "bad") - Number(a.tone === "bad"));
}

function poolTroubles(name: string, { hosts }: PoolStats): Trouble[] {
  const all = Object.values(hosts);
  const wanted = all.filter((h) => h.set === "ready");
  const away = wanted.filter((h) => h.state === "down" || h.state === "ejected");
  const to = ["pool", name];
  if (all.length === 0) return [{ tone: "warn", text: `Pool ${name} has no hosts.`, to }];
  if (wanted.length === 0)
    return [{ tone: "warn", text: `Pool ${name}: every host is draining or taken down.`, to }];
  if (away.length === 0) return [];
  if (away.length === wanted.length)
    return [{ tone: "bad", text: `Pool ${name}: no host is up.`, to }];
  const of = `${away.length} of ${wanted.length} hosts ${away.length === 1 ? "is" : "are"} down`;
  return [{ tone: "bad", text: `Pool ${name}: ${of}.`, to }];
}

/** Sums over everything, for the history. */
export function totals(figures: Figures): Record<string, number> {
  // What balance listens on is told by its own stats, whatever it speaks.
  const others = figures.status.listeners.filter(
    ({ sites }) => !sites.some((site) => site.startsWith("balance ")),
  );
  const balance = balanceOf(figures).map(([, service]) => service);
  const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
    items.reduce((all, item) => all + (of(item) || 0), 0);
  return {
    connections: sum(others, (l) => l.connections ?? 0) + sum(balance, (b) => b.open),
    requests: sum(others, (l) => l.requests ?? 0),
    accepted: sum(balance, (b) => b.accepted),
    failed: sum(balance, (b) => b.failed + b.refused),
    up_bytes: sum(balance, (b) => b.up_bytes),
    down_bytes: sum(balance, (b) => b.down_bytes),
  };
}
