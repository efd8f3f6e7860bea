import { stringify } from "yaml";

import { expandRange } from "../../core/ranges.ts";
import type { Setting } from "./ini.ts";

type Note = (line: number, message: string) => void;

/** Settings of [3nsd] that are no names. */
const SETTINGS = ["geoip_db", "left", "right", "range", "range_suffix", "lr_prefix", "lr_ttl"];
/** 3nsd marked the public names of its range resolve with this address. */
const PUBLIC = "0.0.0.0";
/** `_name` is the tier behind `name`; `name@AS/CN` is for clients there. */
const NAME = /^(_*)([a-z0-9*][a-z0-9_.-]*)(?:@([a-z]{2}(?:\/[a-z]{2})*))?$/;
const MAX_TTL = 2 ** 31 - 1;
/** 3nsd probed by ping, each address not oftener than this. */
const CHECK = { kind: "icmp", interval: "10s" };

/** One name of the old file: its tiers for everybody and by place, the first tier first. */
interface Draft {
  ttl: number;
  readonly tiers: Tier[];
  readonly geo: Map<string, Tier[]>;
}
interface Tier {
  readonly depth: number;
  readonly ttl: number;
  readonly items: readonly string[];
  readonly line: number;
}

/** The [3nsd] section as the lines below `dns:`. `note` is told each thing that could not be carried. */
export function dnsServer(settings: readonly Setting[], note: Note): string {
  const lines = ["  ns:", '    listen: [":53"]'];
  const of = new Map(settings.map((setting) => [setting.name, setting]));
  const names = gather(settings, note);
  if (names.size > 0) lines.push("    names:");
  for (const [name, draft] of names)
    lines.push(`      ${name}: ${flow(nameOf(draft, name, note))}`);

  const geoip = of.get("geoip_db");
  if (geoip && geoip.value !== "") lines.push(`    geoip: ${flow(geoip.value)}`);
  const byPlace = [...names.values()].some(({ geo }) => geo.size > 0);
  if (byPlace && !geoip?.value)
    note(settings[0]?.line ?? 1, "names by place need geoip_db: 3nsd left them unused without");
  lines.push(...range(of, note));
  return `${lines.join("\n")}\n`;
}

function gather(settings: readonly Setting[], note: Note): Map<string, Draft> {
  const names = new Map<string, Draft>();
  const bases = new Set(settings.map(({ name }) => name.split("@", 1)[0]));
  for (const setting of settings) {
    const { name, line, value } = setting;
    if (SETTINGS.includes(name)) continue;
    const [, under = "", base = "", place] = NAME.exec(name) ?? [];
    if (base === "" || !value.includes(",")) {
      note(
        line,
        base === "" ? `"${name}" is no name: left out` : `${name} has no TTL and address: left out`,
      );
      continue;
    }
    const tier = tierOf(setting, under.length, note);
    if (tier === undefined) continue;
    // `_name` without a `name` was a name like any other.
    const own = under !== "" && !bases.has(base);
    const key = own ? under + base : base;
    const draft = names.get(key) ?? { ttl: tier.ttl, tiers: [], geo: new Map<string, Tier[]>() };
    names.set(key, draft);
    if (place === undefined) draft.tiers.push(tier);
    else draft.geo.set(place.toUpperCase(), [...(draft.geo.get(place.toUpperCase()) ?? []), tier]);
  }
  for (const [name, { tiers, geo }] of names)
    if (tiers.length === 0) {
      const line = [...geo.values()][0]?.[0]?.line ?? 1;
      note(line, `${name} has addresses for some places only: left out`);
      names.delete(name);
    }
  return names;
}

function tierOf({ name, value, line }: Setting, depth: number, note: Note): Tier | undefined {
  const [ttl = "", ...words] = value.split(/[,\n]/).map((word) => word.trim());
  if (words[0] === PUBLIC) {
    note(
      line,
      `${name} is a public name of the range resolve: it is one here without being listed`,
    );
    return undefined;
  }
  const items = words.filter((word) => {
    const ok = expandRange(word)?.every(
      ({ host, port }) => port === undefined && /^[\d.]+$/.test(host),
    );
    if (!ok && word !== "") note(line, `"${word}" is no address or range: left out`);
    return ok;
  });
  if (!/^\d{1,10}$/.test(ttl) || Number(ttl) > MAX_TTL || items.length === 0) {
    note(line, `${name} has no TTL and address: left out`);
    return undefined;
  }
  return { depth, ttl: Number(ttl), items, line };
}

function nameOf({ tiers, geo }: Draft, name: string, note: Note): object {
  const own = inOrder(tiers, name, note);
  const ttl = own[0]?.ttl ?? 0;
  const shown = (all: readonly Tier[]) =>
    all.map((tier) => (tier.ttl === ttl ? tier.items : { ttl: tier.ttl, members: tier.items }));
  const places = [...geo].map(([place, there]) => [place, shown(inOrder(there, name, note))]);
  return {
    ttl,
    tiers: shown(own),
    check: CHECK,
    all_down: "nodata", // what 3nsd said then
    ...(places.length > 0 && { geo: Object.fromEntries(places) }),
  };
}

/** 3nsd went from `name` to `_name`, and no further than there was a next one. */
function inOrder(tiers: readonly Tier[], name: string, note: Note): Tier[] {
  const sorted = tiers.toSorted((a, b) => a.depth - b.depth);
  const first = sorted[0]?.depth ?? 0;
  const gap = sorted.findIndex((tier, i) => tier.depth !== first + i);
  if (gap < 0) return sorted;
  for (const { line } of sorted.slice(gap))
    note(line, `3nsd never came to this tier of ${name}: left out`);
  return sorted.slice(0, gap);
}

/** Lines for `lrrr:`, commented: it takes a secret that 3nsd did not have. */
function range(of: ReadonlyMap<string, Setting>, note: Note): string[] {
  const [left, right, suffix] = ["left", "right", "range_suffix"].map(
    (name) => of.get(name)?.value ?? "",
  );
  if (!left || !right || !suffix) return [];
  const ttl = Number(of.get("lr_ttl")?.value);
  const prefix = of.get("lr_prefix")?.value;
  const lrrr = {
    side: of.get("range")?.value === "left" ? "left" : "right",
    left,
    right,
    suffix,
    secret: "file:./lrrr.key",
    ...(prefix && { prefix }),
    ...(Number.isInteger(ttl) && ttl > 0 && { ttl: `${ttl}s` }),
  };
  note(
    of.get("left")?.line ?? 1,
    "the range resolve is signed now: put the same secret in lrrr.key on both sides, and take the # away",
  );
  return [`    # lrrr: ${flow(lrrr)}`];
}

function flow(value: unknown): string {
  return stringify(value, { collectionStyle: "flow", lineWidth: 0 }).trimEnd();
}
