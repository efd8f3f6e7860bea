/**
 * What routers tell one another of usage, as JSON in etcd: each process's changes in batches, until they
 * are in the count of the one that looks after copies.
 */
import * as v from "valibot";

import { type Amount, NOTHING, plus } from "./amount.ts";
import type { Changes } from "./untold.ts";

/** Bytes, files, and when, ms since 1970. */
const change = v.tuple([v.number(), v.number(), v.number()]);
const batch = v.object({
  seq: v.pipe(v.number(), v.integer()),
  places: v.record(v.string(), v.record(v.string(), change)),
});
const log = v.array(batch);
const counted = v.object({
  by: v.string(),
  sums: v.record(v.string(), v.tuple([v.number(), v.number()])),
  folded: v.record(v.string(), v.number()),
});

/** Changes of one process that are told together. */
export interface Told {
  /** Goes up with each of them. */
  readonly seq: number;
  readonly changes: Changes;
}

/** What the process that looks after copies has counted. */
export interface Counted {
  /** Which one. */
  readonly by: string;
  /** By prefix. */
  readonly sums: ReadonlyMap<string, Amount>;
  /** The last of each process's batches that is in there. */
  readonly folded: ReadonlyMap<string, number>;
}

export function emitLog(batches: readonly Told[]): string {
  const written = batches.map(({ seq, changes }): v.InferOutput<typeof batch> => ({
    seq,
    places: Object.fromEntries(
      [...changes].map(([place, there]) => [
        place,
        Object.fromEntries(
          [...there].map(([prefix, { bytes, files, at }]) => [prefix, [bytes, files, at]]),
        ),
      ]),
    ),
  }));
  return JSON.stringify(written);
}

/** Nothing where it cannot be read: the walk counts it. */
export function parseLog(text: string): Told[] {
  const batches = parsed(log, text) ?? [];
  return batches.map(({ seq, places }) => ({
    seq,
    changes: new Map(
      Object.entries(places).map(([place, there]) => [
        place,
        new Map(
          Object.entries(there).map(([prefix, [bytes, files, at]]) => [
            prefix,
            { bytes, files, at },
          ]),
        ),
      ]),
    ),
  }));
}

export function emitCounted({ by, sums, folded }: Counted): string {
  const written: v.InferOutput<typeof counted> = {
    by,
    sums: Object.fromEntries(
      [...sums].map(([prefix, { bytes, files }]) => [prefix, [bytes, files]]),
    ),
    folded: Object.fromEntries(folded),
  };
  return JSON.stringify(written);
}

/** Undefined where it cannot be read. */
export function parseCounted(text: string): Counted | undefined {
  const read = parsed(counted, text);
  return (
    read && {
      by: read.by,
      sums: new Map(
        Object.entries(read.sums).map(([prefix, [bytes, files]]) => [prefix, { bytes, files }]),
      ),
      folded: new Map(Object.entries(read.folded)),
    }
  );
}

/** `sums` with what has changed. */
export function withChanges(
  sums: ReadonlyMap<string, Amount>,
  batches: readonly Told[],
): Map<string, Amount> {
  const all = new Map(sums);
  for (const { changes } of batches)
    for (const there of changes.values())
      for (const [prefix, more] of there) all.set(prefix, plus(all.get(prefix) ?? NOTHING, more));
  return all;
}

function parsed<T>(schema: v.GenericSchema<unknown, T>, text: string): T | undefined {
  try {
    const { success, output } = v.safeParse(schema, JSON.parse(text));
    return success ? output : undefined;
  } catch {
    return undefined; // no JSON
  }
}
