import { stringify } from "yaml";

import { expandRange } from "../../core/ranges.ts";
import type { Setting } from "./ini.ts";

type Note = (line: number, message: string) => void;

/** A host that 3zsd knew by its Host field, or one of its lower tiers (`_name`). */
const NAME = /^(_*)([a-z0-9-][a-z0-9_.-]*|\*)$/;
/** Go to the host that is asked for. */
const TRANSPARENT = "0.0.0.0:0";
/** Where 3zsd listened when the command line did not say another port. */
const PORT = 8000;
/** Of a server that names none. */
const SERVER_PORT = 80;
const MAX_TTL = 2 ** 31 - 1;

/** One host: the servers of its tiers, the first tier first. */
interface Draft {
  readonly line: number;
  readonly ttl: number;
  readonly tiers: Map<number, readonly string[]>;
}

/** The [3zsd] section as the lines of `pools:` and `proxy:`. `note` is told each thing that could not be carried. */
export function proxyServer(settings: readonly Setting[], note: Note): string {
  const hosts = new Map<string, Draft>();
  let transparent = false;
  for (const setting of settings) {
    const { name, line, value } = setting;
    const [, under = "", host = ""] = NAME.exec(name) ?? [];
    const [ttl = "", ...words] = value.split(/[,\n]/).map((word) => word.trim());
    if (host === "" || !/^\d{1,10}$/.test(ttl) || Number(ttl) > MAX_TTL) {
      note(line, host === "" ? `"${name}" is no host: left out` : `${name} has no TTL: left out`);
      continue;
    }
    if (host === "*" && words[0] === TRANSPARENT) {
      transparent = true;
      note(
        line,
        "hosts inside one's own networks are not gone to unless `allow` names their addresses",
      );
      continue;
    }
    const servers = words.flatMap((word) => serverOf(word, line, note));
    if (servers.length === 0) {
      note(line, `${name} has no servers: left out`);
      continue;
    }
    const draft = hosts.get(host) ?? { line, ttl: Number(ttl), tiers: new Map<number, string[]>() };
    hosts.set(host, draft);
    draft.tiers.set(under.length, servers);
  }

  if (hosts.size === 0 && !transparent) {
    note(settings[0]?.line ?? 1, "[3zsd] has no hosts: there is no proxy");
    return "";
  }

  const lines = ["pools:"];
  for (const [host, draft] of hosts) lines.push(`  ${quoted(poolOf(host))}: ${flow(pool(draft))}`);
  if (hosts.size === 0) lines[0] = "pools: {}";
  lines.push("", "proxy:", "  edge:");
  lines.push(`    # 3zsd took its port from the command line (-p); ${PORT} when there was none`);
  lines.push(`    listen: [":${PORT}"]`, "    routes:");
  const routes = [...hosts.keys()].map((host) => ({ host, pool: poolOf(host) }));
  for (const route of routes) lines.push(`      - ${flow(route)}`);
  if (transparent) lines.push(`      - ${flow({ host: "*", forward: { allow: ["*"] } })}`);
  lines.push(
    `    cache: { memory: 64MiB, defaults: { "200": 5s } } # 3zsd kept what said nothing for 5 s`,
  );
  return `${lines.join("\n")}\n`;
}

function serverOf(word: string, line: number, note: Note): string[] {
  if (word === "") return [];
  const ok = expandRange(word)?.every(({ port }) => port !== 0) ?? false;
  if (!ok) {
    note(line, `"${word}" is no server: left out`);
    return [];
  }
  return [/:\d+$/.test(word) ? word : `${word}:${SERVER_PORT}`];
}

function pool({ ttl, tiers }: Draft): object {
  const sorted = [...tiers].toSorted(([a], [b]) => a - b);
  const hosts = sorted.flatMap(([depth, servers]) =>
    servers.map((address) => (depth === sorted[0]?.[0] ? address : { address, backup: true })),
  );
  // Its scheduler was chosen on the command line: -x 1 was iphash, -x 2 urlhash.
  return { scheduler: "roundrobin", hosts, checktime: `${Math.max(1, ttl)}s` };
}

function poolOf(host: string): string {
  return host === "*" ? "default" : host;
}

function quoted(name: string): string {
  return stringify(name).trimEnd();
}

function flow(value: unknown): string {
  return stringify(value, { collectionStyle: "flow", lineWidth: 0 }).trimEnd();
}
