/** `hosts:` of a pool as it is written, for those who want to change one of them. */
import type { Plain } from "../../config/edit.ts";
import { closest } from "../../core/suggest.ts";
import { type Placed, placesIn } from "./host-words.ts";

/** An item of the list: one host, or the hosts of a range. */
interface Item {
  readonly value: Plain;
  readonly keys: Readonly<Record<string, Plain>>;
  readonly places: readonly Placed[];
  readonly name: string | undefined;
}

/** Where a host is written. */
export interface Found {
  /** Its item in the list. */
  readonly item: number;
  /** Its place in the item's range. */
  readonly member: number;
}

/** Most names that a message lists. */
const NAMED = 12;

/** The hosts of one pool as they are written. */
export class HostList {
  readonly #pool: string;
  readonly #items: readonly Item[];

  constructor(pool: string, hosts: Plain | undefined) {
    this.#pool = pool;
    this.#items = Array.isArray(hosts) ? hosts.map(itemOf) : [];
  }

  /** What each host is called: its name, or its address. */
  get labels(): string[] {
    return this.#items.flatMap(({ name, places }) =>
      places.map(({ label }) => (places.length === 1 ? (name ?? label) : label)),
    );
  }

  /** How many hosts take clients, one of them left out. */
  readyWithout({ item, member }: Found): number {
    let ready = 0;
    for (const [i, { keys, places }] of this.#items.entries())
      if ((keys["state"] ?? "ready") === "ready" && keys["weight"] !== 0)
        ready += places.filter((_, j) => i !== item || j !== member).length;
    return ready;
  }

  has(host: string): boolean {
    return this.#find(host) !== undefined;
  }

  /** The host of that name or address. Throws Error, in words for the operator, when there is none. */
  find(host: string): Found {
    const found = this.#find(host);
    if (found !== undefined) return found;
    const [of] = host.split("/");
    const asked = `pool ${this.#pool} has no host ${JSON.stringify(host)}`;
    // A server that a name stands for is shown as `name.example:80/10.0.0.1:80`.
    if (of !== undefined && of !== host && this.has(of))
      throw new Error(
        `${asked}: that is one address of ${of}, which can only be changed as a whole`,
      );
    const { labels } = this;
    if (labels.length === 0) throw new Error(`${asked}; it has none`);
    const meant = closest(host, labels);
    const more = labels.length > NAMED ? ` and ${labels.length - NAMED} more` : "";
    const hint = meant === undefined ? "" : `; did you mean ${JSON.stringify(meant)}?`;
    throw new Error(`${asked}; it has ${labels.slice(0, NAMED).join(", ")}${more}${hint}`);
  }

  /** The list when one host has these keys too; undefined takes a key away. The rest of its range stays as it is. */
  with(found: Found, keys: Readonly<Record<string, Plain | undefined>>): Plain[] {
    return this.#splice(found, (item, address) => {
      const all: Record<string, Plain | undefined> = { ...item.keys, address, ...keys };
      const said = Object.entries(all).filter(
        (entry): entry is [string, Plain] => entry[1] !== undefined,
      );
      return said.length === 1 ? [address] : [Object.fromEntries(said)];
    });
  }

  /** The list without one host. */
  without(found: Found): Plain[] {
    return this.#splice(found, () => []);
  }

  #splice({ item, member }: Found, one: (item: Item, address: string) => Plain[]): Plain[] {
    return this.#items.flatMap((it, i) => {
      if (i !== item) return [it.value];
      const { places } = it;
      const address = places.length === 1 ? writtenAddress(it) : (places[member]?.label ?? "");
      const part = (from: number, to: number): Plain[] =>
        from < to ? [withAddress(it, rangeOf(places.slice(from, to)))] : [];
      return [...part(0, member), ...one(it, address), ...part(member + 1, places.length)];
    });
  }

  #find(host: string): Found | undefined {
    const asked = placesIn(host);
    const address = Array.isArray(asked) && asked.length === 1 ? asked[0].label : host;
    for (const [item, { name, places }] of this.#items.entries()) {
      if (name === host) return { item, member: 0 };
      const member = places.findIndex(({ label }) => label === address);
      if (member >= 0) return { item, member };
    }
    return undefined;
  }
}

function itemOf(value: Plain): Item {
  const map = isMap(value) ? value : { address: value };
  const { address, name } = map;
  const places = typeof address === "string" ? placesIn(address) : undefined;
  return {
    value,
    keys: map,
    places: Array.isArray(places) ? places : [],
    name: typeof name === "string" ? name : undefined,
  };
}

function isMap(value: Plain): value is Readonly<Record<string, Plain>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function writtenAddress({ keys }: Item): string {
  return keys["address"] as string; // what has places has one
}

function withAddress({ value, keys }: Item, address: string): Plain {
  return isMap(value) ? { ...keys, address } : address;
}

/** `10.0.0.4-9:80`: neighbours of one range, in order. */
function rangeOf(places: readonly Placed[]): string {
  const first = places[0]?.place;
  const last = places.at(-1)?.place;
  if (first?.kind !== "address" || last?.kind !== "address") return "";
  if (first === last) return `${first.host}:${first.port}`;
  return `${first.host}-${last.host.slice(last.host.lastIndexOf(".") + 1)}:${first.port}`;
}
