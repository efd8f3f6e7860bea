/** What stages there have been: what is stored is where they said, so they may not change. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import * as v from "valibot";

import { replaceFile } from "../../sys/durable.ts";
import { lossBy } from "./placement/change.ts";
import type { StageRecord } from "./placement/stage.ts";
import type { StageConfig } from "./stage-config.ts";

const record = v.object({
  placement: v.picklist(["md5-paper", "md5-2to3", "hrw-1"]),
  region: v.number(),
  redundancy: v.number(),
  slots: v.array(v.object({ id: v.string(), weight: v.number(), zone: v.optional(v.string()) })),
});
const book = v.object({ stages: v.record(v.string(), record) });

/** Stage records by number. */
export type Stages = Readonly<Record<string, StageRecord>>;

/** What a stage's config says of where names are. */
export function recordOf({ placement, region, redundancy, members }: StageConfig): StageRecord {
  const slots = members.map(({ id, weight, zone }) => ({ id, weight, zone }));
  return { placement, region, redundancy, slots };
}

/** The records that were in force last; none when nothing has been stored yet. */
export function readBook(directory: string): Stages {
  const path = join(directory, FILE);
  if (!existsSync(path)) return {};
  try {
    return parseStages(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`${path}: it cannot be read; a copy of it is in every backup`, {
      cause: error,
    });
  }
}

/** As they are written down. */
export function emitStages(stages: Stages): string {
  return `${JSON.stringify({ stages }, null, 2)}\n`;
}

/** Throws when they cannot be read. */
export function parseStages(text: string): Stages {
  const read = v.parse(book, JSON.parse(text));
  return Object.fromEntries(
    Object.entries(read.stages).map(([number, stage]): [string, StageRecord] => [
      number,
      { ...stage, slots: stage.slots.map((slot) => ({ ...slot, zone: slot.zone })) },
    ]),
  );
}

/** Remember `stages`. */
export async function writeBook(directory: string, stages: Stages): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  await replaceFile(join(directory, FILE), emitStages(stages));
}

const FILE = "stages.json";

/** Why `after` may not take the place of `before`, in words for the operator; undefined: it may. */
export function refusal(before: Stages, after: Stages): string | undefined {
  for (const [number, old] of Object.entries(before)) {
    const next = after[number];
    if (next === undefined)
      return (
        `stage ${number} is gone: all that is stored in it, on ${ids(old)}, would be lost to ` +
        "readers; a stage stays for ever"
      );
    const loss = lossBy(old, next);
    if (loss === undefined) continue;
    return (
      `stage ${number} has changed from ${shape(old)} to ${shape(next)}: ` +
      `${loss.misplaced}% of its copies would be looked for where they are not, and of ` +
      `${loss.lost}% of its files none would be found; leave it as it is, add another stage, ` +
      "and raise `stage`"
    );
  }
  return undefined;
}

function shape(stage: StageRecord): string {
  return `${stage.placement} over ${ids(stage)}`;
}

function ids({ slots }: StageRecord): string {
  return slots
    .map(({ id, weight, zone }) => {
      const more = [...(weight === 1 ? [] : [`weight ${weight}`]), ...(zone ? [zone] : [])];
      return more.length === 0 ? id : `${id} (${more.join(", ")})`;
    })
    .join(", ");
}
