import * as v from "valibot";

import { parseDuration, parseRate, parseSize } from "../core/units.ts";
import { scalar } from "./scalar.ts";

/** `"250ms"`, `"5s"`, `"2m"`, `"1h"`, `"7d"` or 0, in milliseconds. */
export const duration = scalar('a duration such as "250ms", "5s" or "2m"', parseDuration, {
  type: ["string", "integer"],
  pattern: "^(0|\\d+(\\.\\d+)?(ms|[smhd]))$",
});

/** `"1k"`, `"64MiB"`, `"100m"` or a number, in bytes. */
export const size = scalar('a size such as "1k", "64MiB" or "10g"', parseSize, {
  type: ["string", "integer"],
  pattern: "^\\d+(\\.\\d+)?([kmgtKMGT]?([iI]?[bB])?)$",
});

/** How often something may happen: `"50/s"` or `"30/m"`. */
export const rate = scalar('a rate such as "50/s" or "30/m"', (text) => {
  const read = parseRate(text);
  return read?.kind === "events" ? { perSecond: read.perSecond } : undefined;
});

/** `"10Mbit"` or `"20MiB/s"`, in bits per second. */
export const bandwidth = scalar('a bandwidth such as "10Mbit" or "20MiB/s"', (text) => {
  const read = parseRate(text);
  return read?.kind === "bits" ? read.perSecond : undefined;
});

/** A whole number from `least` on. */
export function count(least = 0): v.GenericSchema<unknown, number> {
  return v.pipe(v.number() as v.GenericSchema<unknown, number>, v.integer(), v.minValue(least));
}
