/**
 * Long runs of the properties: `FUZZ_SECONDS` for each target, or what its file says (2 by default), from a seed that
 * is printed and can be given back as `FUZZ_SEED`. What fails here becomes a row of the parser's table.
 */
import { describe, test } from "bun:test";

import fc from "fast-check";

const DEFAULT_SECONDS = 2;
/** Shrinking a failure may take longer than finding it. */
const SPARE_MS = 60_000;

const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 2 ** 31);

/** One test for each property of `target`; together they take `byDefault` seconds when nobody says otherwise. */
export function fuzz<T extends object>(
  target: string,
  properties: { readonly [K in keyof T]: fc.IRawProperty<T[K]> },
  byDefault = DEFAULT_SECONDS,
): void {
  const seconds = Number(process.env["FUZZ_SECONDS"] ?? byDefault);
  const names = Object.keys(properties) as (keyof T & string)[];
  const share = (seconds * 1000) / names.length;
  describe(target, () => {
    for (const name of names) {
      const run = async (): Promise<void> => {
        process.stderr.write(
          `fuzz ${target}, ${name}: ${Math.round(share)} ms, FUZZ_SEED=${seed}\n`,
        );
        const endless = { seed, numRuns: Infinity, interruptAfterTimeLimit: share };
        await fc.assert(properties[name], endless);
      };
      test(name, run, share + SPARE_MS);
    }
  });
}
