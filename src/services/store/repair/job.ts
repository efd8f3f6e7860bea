/** Something an operator has asked for that takes a while: where it is, and how it ended. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import * as v from "valibot";

import { replaceFile } from "../../../sys/durable.ts";

const counts = v.object({
  names: v.number(),
  read: v.number(),
  lacking: v.number(),
  damaged: v.number(),
  mended: v.number(),
  moved: v.number(),
  owed: v.number(),
  lost: v.number(),
  strays: v.number(),
  cleared: v.number(),
  forgotten: v.number(),
});

export const wish = v.object({
  kind: v.picklist(["fsck", "replace", "drain", "undrain", "rebalance"]),
  /** Of `replace`, `drain` and `undrain`. */
  member: v.optional(v.string()),
  /** Only this one. */
  stage: v.optional(v.number()),
  dryRun: v.optional(v.boolean(), false),
  /** Of `fsck`: bytes a second that are read; the scrub's when absent. */
  rate: v.optional(v.pipe(v.number(), v.gtValue(0))),
});

const job = v.object({
  ...wish.entries,
  state: v.picklist(["running", "done", "stopped", "failed"]),
  /** `copying`, then for what moves copies `clearing`. */
  phase: v.picklist(["copying", "clearing"]),
  /** Partitions of this phase that are done, of how many. */
  at: v.number(),
  of: v.number(),
  /** Milliseconds since 1970. */
  began: v.number(),
  ended: v.optional(v.number()),
  /** Since it began; `owed`, `lost` and `strays` of this phase. */
  tally: counts,
  why: v.optional(v.string()),
});

export type Wish = v.InferOutput<typeof wish>;
export type Job = v.InferOutput<typeof job>;

/** How far the scrub is. */
const scrub = v.object({
  /** Partitions done, of all stages, of this round. */
  at: v.number(),
  /** Milliseconds since 1970. */
  began: v.number(),
  last: v.optional(v.object({ ended: v.number(), tally: counts })),
  tally: counts,
});
export type Scrub = v.InferOutput<typeof scrub>;

const page = v.object({ job: v.optional(job), scrub: v.optional(scrub) });
export type Page = v.InferOutput<typeof page>;

const FILE = "repair.json";

/** What was written down; nothing when it cannot be read: then all begins anew, which does no harm. */
export function readPage(directory: string): Page {
  const path = join(directory, FILE);
  if (!existsSync(path)) return {};
  try {
    return v.parse(page, JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return {};
  }
}

export async function writePage(directory: string, given: Page): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  await replaceFile(join(directory, FILE), `${JSON.stringify(given)}\n`);
}
