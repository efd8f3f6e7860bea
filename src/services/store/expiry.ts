/** Files that are there for a while only: they are gone at once when it is over, and removed later. */
import { find, type Found, type Search } from "./find.ts";
import type { Name } from "./names.ts";
import type { Stamp, Version } from "./record.ts";
import type { Shelf } from "./shelf.ts";

const SECOND = 1000;
/** Dates behind this are no times (ECMAScript's own bound). Milliseconds. */
const MAX_TIME = 8.64e15;

/** `wall` in milliseconds since 1970. */
export function hasExpired(version: Version, wall: number): boolean {
  return version.kind === "file" && version.until !== undefined && version.until <= wall;
}

/** What clients may know of it: whose time is over counts as deleted, by the same stamp. */
export function alive<V extends Version | undefined>(version: V, wall: number): V | Version {
  if (version?.kind !== "file" || !hasExpired(version, wall)) return version;
  return { kind: "deleted", stamp: version.stamp };
}

/** As `find`, for clients. */
export async function lookUp(shelf: Shelf, name: Name, search?: Search): Promise<Found> {
  const found = await find(shelf, name, search);
  return found.kind === "found"
    ? { ...found, version: alive(found.version, shelf.common.wall()) }
    : found;
}

/**
 * When a file is to be gone, as Swift's clients say it: `X-Delete-After` in seconds from now, or
 * `X-Delete-At` in seconds since 1970. In milliseconds since 1970; undefined: they do not say;
 * "unreadable": it is no time to come.
 */
export function wishedEnd(
  headers: Pick<Headers, "get">,
  wall: number,
): number | undefined | "unreadable" {
  const after = headers.get("x-delete-after");
  const at = headers.get("x-delete-at");
  if (after === null && at === null) return undefined;
  const text = after ?? at ?? "";
  const end = Number(text) * SECOND + (after === null ? 0 : wall);
  return /^\d{1,15}$/.test(text) && end > wall && end <= MAX_TIME ? Math.floor(end) : "unreadable";
}

/** When what is written with this stamp ends, as a version has it: as was `wished`, or as the config has it. */
export function endOf(
  { common }: Shelf,
  { path }: Name,
  { time }: Stamp,
  wished: number | undefined,
): { readonly until?: number } {
  const stays = common.lifetime?.(path);
  const until = wished ?? (stays === undefined ? undefined : time + stays);
  return until === undefined ? {} : { until };
}

/** How long files below each prefix stay; undefined: for ever. The longest prefix counts. */
export type Lifetimes = (path: string) => number | undefined;

/** `by` prefix, milliseconds. */
export function lifetimes(by: Readonly<Record<string, number>>): Lifetimes {
  const all = Object.entries(by).toSorted(([a], [b]) => b.length - a.length);
  return (path) => all.find(([prefix]) => path.startsWith(prefix))?.[1];
}
