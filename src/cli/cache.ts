import { humanBytes } from "../core/human-bytes.ts";
import type { Listed } from "../services/proxy/cache/actions.ts";
import { age } from "./age.ts";
import { ask, reason } from "./client.ts";
import { EXIT, Exit } from "./exit.ts";
import type { Where } from "./socket-path.ts";
import { table } from "./table.ts";
import { type Paint, painter, print, printJson } from "./terminal.ts";

type Options = Where & { json?: boolean; proxy?: string };

const SECOND = 1000;

/** `tern cache ls [PREFIX]`: responses in memory, the latest first. */
export async function ls(options: Options & { limit?: string }, prefix?: string): Promise<number> {
  const limit = Number(options.limit ?? 100);
  const listed = (await act(options, "ls", {
    ...(prefix !== undefined && { prefix: prefix.replace(/^https?:\/\//i, "") }),
    limit,
  })) as readonly Listed[];
  const latest = listed.toSorted((a, b) => a.age - b.age).slice(0, limit);
  if (options.json) printJson(latest);
  else print(showListed(latest, painter()));
  return EXIT.ok;
}

/** `tern cache stat`: what each proxy's cache holds and how often it had what was asked for. */
export async function stat(options: Options): Promise<number> {
  const stats = (await act(options, "stat", {})) as Readonly<Record<string, CacheStats>>;
  if (options.json) printJson(stats);
  else print(showStats(stats, painter()));
  return EXIT.ok;
}

/** `tern cache purge [URL]`: in all workers, at once. */
export async function purge(
  options: Options & { prefix?: string; tag?: string; all?: boolean },
  url?: string,
): Promise<number> {
  const { prefix, tag, all } = options;
  const said = [url, prefix, tag, all].filter((one) => one !== undefined);
  if (said.length !== 1) throw new Exit(EXIT.usage, "say one of URL, --prefix, --tag and --all");
  const { purged } = (await act(options, "purge", { url, prefix, tag, all })) as { purged: number };
  if (options.json) printJson({ purged });
  else print(`done: ${purged} in memory; what is on disk is not used any more either`);
  return EXIT.ok;
}

async function act(options: Options, action: string, input: object): Promise<unknown> {
  const path = `/api/v1/services/proxy/actions/${action}`;
  const answer = await ask(options, "POST", path, { proxy: options.proxy, ...input });
  if (answer.status === 404) throw new Exit(EXIT.failed, "no proxy of this config has a cache");
  if (!answer.ok) throw new Exit(EXIT.failed, reason(answer));
  return answer.json;
}

/** For people. */
export function showListed(listed: readonly Listed[], paint: Paint): string {
  if (listed.length === 0) return "nothing is stored in memory";
  const rows = listed.map((one) => [
    one.proxy,
    one.url + (one.variant === "" ? "" : ` (${one.variant.replaceAll("\n", ", ")})`),
    String(one.status),
    humanBytes(one.bytes),
    age(one.age * SECOND),
    one.ttl < 0 ? "stale" : age(one.ttl * SECOND),
    one.tags,
  ]);
  const [head = "", ...lines] = table([
    ["PROXY", "URL", "STATUS", "SIZE", "AGE", "FRESH FOR", "TAGS"],
    ...rows,
  ]);
  return [paint("dim", head), ...lines].join("\n");
}

/** What `stat` says of one cache; what this does not show is left out. */
interface CacheStats {
  readonly hits: number;
  readonly stale: number;
  readonly misses: number;
  readonly collapsed: number;
  readonly passed: number;
  readonly entries: number;
  readonly memory_bytes: number;
  readonly disk_entries?: number;
  readonly disk_bytes?: number;
  readonly disk_hits?: number;
  readonly disk_errors?: number;
}

/** For people. */
export function showStats(stats: Readonly<Record<string, CacheStats>>, paint: Paint): string {
  const heading = [
    "PROXY",
    "HITS",
    "RATIO",
    "STALE",
    "MISSES",
    "WAITED",
    "PASSED",
    "IN MEMORY",
    "ON DISK",
    "DISK HITS",
    "DISK ERRORS",
  ];
  const rows = Object.entries(stats).map(([name, one]) => {
    const answered = one.hits + one.stale + one.collapsed;
    const asked = answered + one.misses;
    return [
      name,
      String(one.hits),
      asked === 0 ? "-" : `${((answered / asked) * 100).toFixed(1)}%`,
      String(one.stale),
      String(one.misses),
      String(one.collapsed),
      String(one.passed),
      `${one.entries} (${humanBytes(one.memory_bytes)})`,
      one.disk_entries === undefined
        ? "-"
        : `${one.disk_entries} (${humanBytes(one.disk_bytes ?? 0)})`,
      String(one.disk_hits ?? "-"),
      String(one.disk_errors ?? "-"),
    ];
  });
  const [head = "", ...lines] = table([heading, ...rows]);
  return [paint("dim", head), ...lines].join("\n");
}
