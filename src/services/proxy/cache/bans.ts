import { shorten } from "../../../core/shorten.ts";

/** What must not be used any more: of a URL, a prefix, a tag, or everything. */
export const BAN_KINDS = ["url", "prefix", "tag", "all"] as const;
export type BanKind = (typeof BAN_KINDS)[number];

/** Whatever was asked for until `time` (milliseconds since 1970) and matches is dead. */
export interface Ban {
  readonly time: number;
  readonly kind: BanKind;
  /** `host/path?query`, the beginning of one, or a tag; "" for all. */
  readonly value: string;
}

/** For other nodes, whose clocks are others: without its time. */
export function emitBan({ kind, value }: Ban): string {
  return JSON.stringify([kind, value]);
}

/** Read it. Undefined: it is something else. */
export function parseBan(text: string, time: number): Ban | undefined {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(said) || said.length !== 2) return undefined;
  const [wanted, value]: unknown[] = said;
  const kind = BAN_KINDS.find((one) => one === wanted);
  return kind !== undefined && typeof value === "string" ? { time, kind, value } : undefined;
}

/** What a ban looks at. */
export interface Bannable {
  readonly key: string;
  readonly tags: readonly string[];
  readonly asked: number;
}

/**
 * URLs remembered; whoever may change what is there, may do so for as many as he likes. Beyond it
 * those banned longest ago are forgotten: their plain files are gone by then.
 */
const MOST_URLS = 100_000;
const KEPT = 0.9;

/** Keys go on behind the URL when the operator has added to them. */
export function urlOf(key: string): string {
  const end = key.indexOf("\n");
  return end < 0 ? key : key.slice(0, end);
}

/** The bans in force. Each holds for all time until it is obsolete: a response may turn up from a disk. */
export class Bans {
  readonly #exact = { url: new Map<string, number>(), tag: new Map<string, number>() };
  readonly #prefixes = new Map<string, number>();
  #all = 0;
  /** Time of the latest: what was asked for later is surely alive. */
  latest = 0;
  /** Raised with each new one. */
  version = 0;

  /** False when it was in force already. */
  add({ time, kind, value }: Ban): boolean {
    const map = this.#mapFor(kind);
    const before = map === undefined ? this.#all : (map.get(value) ?? 0);
    if (time <= before) return false;
    if (map === undefined) this.#all = time;
    else {
      map.delete(value); // the latest are behind
      map.set(value, time);
      if (kind === "url" && map.size > MOST_URLS) shorten(map, MOST_URLS * KEPT);
    }
    this.latest = Math.max(this.latest, time);
    this.version++;
    return true;
  }

  #mapFor(kind: BanKind): Map<string, number> | undefined {
    if (kind === "all") return undefined;
    return kind === "prefix" ? this.#prefixes : this.#exact[kind];
  }

  isDead({ key, tags, asked }: Bannable): boolean {
    if (asked > this.latest) return false;
    if (asked <= this.#all) return true;
    const url = urlOf(key);
    if (asked <= (this.#exact.url.get(url) ?? 0)) return true;
    for (const tag of tags) if (asked <= (this.#exact.tag.get(tag) ?? 0)) return true;
    for (const [prefix, time] of this.#prefixes)
      if (asked <= time && url.startsWith(prefix)) return true;
    return false;
  }

  /** Forget those from before `time`: nothing so old is left. */
  forgetBefore(time: number): void {
    for (const map of [this.#exact.url, this.#exact.tag, this.#prefixes])
      for (const [value, at] of map) if (at < time) map.delete(value);
  }

  clear(): void {
    for (const map of [this.#exact.url, this.#exact.tag, this.#prefixes]) map.clear();
    this.#all = 0;
  }

  list(): Ban[] {
    const of = (kind: BanKind, map: ReadonlyMap<string, number>): Ban[] =>
      Array.from(map, ([value, time]) => ({ time, kind, value }));
    return [
      ...(this.#all > 0 ? [{ time: this.#all, kind: "all", value: "" } as const] : []),
      ...of("url", this.#exact.url),
      ...of("prefix", this.#prefixes),
      ...of("tag", this.#exact.tag),
    ];
  }

  get size(): number {
    return (
      this.#exact.url.size + this.#exact.tag.size + this.#prefixes.size + Number(this.#all > 0)
    );
  }
}
