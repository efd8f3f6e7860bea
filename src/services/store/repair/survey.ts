/** What every member has in one partition of a stage: 4096 of them, by the hash of the names. */
import { createHash } from "node:crypto";

import { decodeTarget } from "../../../wire/http/path.ts";
import { look, readRecord } from "../copy.ts";
import { type Item, MemberError } from "../members/member.ts";
import type { Name } from "../names.ts";
import type { Version } from "../record.ts";
import type { Seat } from "../seat.ts";
import type { Shelf } from "../shelf.ts";

/** Directories of records: the first three digits of the hash. */
export const PARTITIONS = 4096;
const DIGITS = 3;
const HASH = /^[0-9a-f]{64}$/;
/** Records read at once from one member. */
const AT_ONCE = 8;
/** A record that is younger may change again without looking changed: servers tell whole seconds. */
const YOUNG_MS = 3000;

/** A name on one member. */
export type Kept =
  | { readonly kind: "kept"; readonly version: Version; readonly settled: boolean }
  /** There is a record, and it cannot be read. */
  | { readonly kind: "damaged" };

export interface Survey {
  /** Names in the partition, by hash. */
  readonly names: ReadonlyMap<string, Name>;
  /** Records that nobody can read, so that nobody knows whose they are. */
  readonly nameless: number;
  /** By member, then by hash. Only members that have answered. */
  readonly held: ReadonlyMap<Seat, ReadonlyMap<string, Kept>>;
  /** Members whose every record in the partition is known: they can list. */
  readonly listed: ReadonlySet<Seat>;
}

/** A partition's records as a member lists them, in short: equal when nothing has changed since. */
export interface Listing {
  readonly items: readonly Item[];
  /** Undefined: it may change without looking changed. */
  readonly digest: string | undefined;
}

/** "away": it has not answered. "blind": it cannot list. */
export type Listed = Listing | "away" | "blind";

/** The directory of a partition's records. */
export function directoryOf(shelf: Shelf, partition: number): string {
  const digits = partition.toString(16).padStart(DIGITS, "0");
  return `${shelf.common.layout.records(shelf.number)}/${digits}`;
}

/** Partitions that a member has records of; all of them when one of those that answer cannot list. */
export async function populated(shelf: Shelf): Promise<(partition: number) => boolean> {
  const found = new Set<number>();
  let all = false;
  await Promise.all(
    shelf.seats.map(async (seat) => {
      try {
        const at = shelf.common.layout.records(shelf.number);
        const names = await seat.do((member) => member.names?.(at) ?? member.list(at));
        for (const { name } of names) found.add(Number.parseInt(name, 16));
      } catch (error) {
        all ||= error instanceof MemberError && error.trouble === "refused";
      }
    }),
  );
  return (partition) => all || found.has(partition);
}

/** What each of `seats` lists. Cheap: no record is read. */
export async function list(
  shelf: Shelf,
  partition: number,
  seats: readonly Seat[],
): Promise<Map<Seat, Listed>> {
  const at = directoryOf(shelf, partition);
  const each = seats.map(async (seat): Promise<[Seat, Listed]> => {
    if (!seat.up) return [seat, "away"];
    try {
      const all = await seat.do((member) => member.list(at));
      const items = all.filter(({ name, directory }) => !directory && HASH.test(name));
      return [seat, { items, digest: digestOf(items, shelf.common.wall()) }];
    } catch (error) {
      const blind = error instanceof MemberError && error.trouble === "refused";
      return [seat, blind ? "blind" : "away"];
    }
  });
  return new Map(await Promise.all(each));
}

/** Of names, sizes and times, in whatever order they came. */
export function digestOf(items: readonly Item[], wall: number): string | undefined {
  if (items.some(({ mtime }) => mtime > wall - YOUNG_MS)) return undefined;
  const lines = items.map(({ name, size, mtime }) => `${name} ${size} ${mtime}`).toSorted();
  return createHash("sha256").update(lines.join("\n")).digest("base64").slice(0, 22);
}

/** Read every record of the partition. `raw`: keys are targets as they were sent. */
export async function survey(
  shelf: Shelf,
  listed: ReadonlyMap<Seat, Listed>,
  raw: boolean,
): Promise<Survey> {
  const names = new Map<string, Name>();
  const held = new Map<Seat, Map<string, Kept>>();
  const whole = new Set<Seat>();
  const hashes = new Set<string>();
  const readOne = async (seat: Seat, hash: string, own: Map<string, Kept>): Promise<void> => {
    const directory = shelf.common.layout.records(shelf.number);
    const at = `${directory}/${hash.slice(0, DIGITS)}/${hash}`;
    hashes.add(hash);
    try {
      const record = await seat.do((member) => readRecord(member, at));
      if (record === undefined) return; // removed meanwhile
      const [version] = record.versions;
      const name = nameOf(shelf.number, record.key, raw);
      if (version === undefined || shelf.places(name).record !== at) throw damaged(at);
      names.set(hash, name);
      own.set(hash, { kind: "kept", version, settled: record.versions.length === 1 });
    } catch (error) {
      if (!(error instanceof MemberError) || error.trouble === "away") throw error;
      own.set(hash, { kind: "damaged" });
    }
  };
  await Promise.all(
    [...listed].map(async ([seat, listing]) => {
      if (typeof listing === "string") return;
      const own = new Map<string, Kept>();
      const rest = [...listing.items];
      const next = async (): Promise<void> => {
        for (let item; (item = rest.pop()) !== undefined;) await readOne(seat, item.name, own);
      };
      try {
        await Promise.all(Array.from({ length: AT_ONCE }, next));
        held.set(seat, own);
        whole.add(seat);
      } catch {} // it went away in the middle: the same as if it had been before
    }),
  );
  for (const [seat, listing] of listed)
    if (listing === "blind") held.set(seat, await askFor(shelf, seat, names));
  const nameless = [...hashes].filter(
    (hash) => !names.has(hash) && [...held.values()].some((own) => own.has(hash)),
  ).length;
  return { names, nameless, held, listed: whole };
}

/** A member that cannot list is asked for each name that others have told of. */
async function askFor(
  shelf: Shelf,
  seat: Seat,
  names: ReadonlyMap<string, Name>,
): Promise<Map<string, Kept>> {
  const own = new Map<string, Kept>();
  for (const [hash, name] of names) {
    try {
      const { version, settled } = await seat.do((member) =>
        look(member, shelf.places(name), { bare: false }),
      );
      if (version !== undefined) own.set(hash, { kind: "kept", version, settled });
    } catch {
      own.set(hash, { kind: "damaged" }); // or away: whoever mends it sees
    }
  }
  return own;
}

function nameOf(stage: number, key: string, raw: boolean): Name {
  return { stage, key, path: (raw && decodeTarget(key)?.path) || key };
}

function damaged(at: string): MemberError {
  return new MemberError("failed", `${at}: another name's record`);
}
