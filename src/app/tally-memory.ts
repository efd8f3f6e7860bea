import { fstatSync, readSync } from "node:fs";

import { LAYOUT, TALLY_BYTES, TallyTable } from "../core/tally-table.ts";
import { reactor } from "../net/reactor-loop.ts";
import { seatsBy } from "../net/tally/seats.ts";
import { Tallies } from "../net/tally/tallies.ts";
import { watchBy } from "../net/tally/watch.ts";
import type { Log } from "../observe/log.ts";
import { monotonic } from "../sys/monotonic.ts";
import { makeShared, mapShared } from "../sys/shared-memory.ts";
import { close } from "../sys/socket.ts";

/**
 * The memory in which all workers of this machine count together, those of the process that this
 * one replaces among them: its descriptor. Undefined when there is none to be had: then each counts
 * its part.
 */
export function tallyMemory(handed: number | undefined, log: Log): number | undefined {
  if (handed !== undefined && isTallyMemory(handed)) return handed;
  if (handed !== undefined) close(handed);
  try {
    return makeShared("tern tallies", TALLY_BYTES);
  } catch (error) {
    log.warn("no memory for workers to count in together: each has its part of a limit", { error });
    return undefined;
  }
}

/** Whether an open descriptor is of such memory, and of this version's. */
export function isTallyMemory(memory: number): boolean {
  if (fstatSync(memory).size !== TALLY_BYTES) return false;
  const layout = new Int32Array(1);
  readSync(memory, layout, 0, layout.byteLength, 0);
  return layout[0] === 0 || layout[0] === LAYOUT;
}

/** What this process counts there, one of `of`. To be made once: a process has one seat. */
export function talliesIn(memory: number | undefined, of: number): Tallies {
  const loop = reactor();
  const table =
    memory === undefined
      ? undefined
      : TallyTable.join(mapShared(memory, TALLY_BYTES), seatsBy(memory));
  return new Tallies({
    table,
    of,
    now: () => loop.now,
    offset: monotonic() - performance.now(),
    watch: watchBy(loop),
  });
}
