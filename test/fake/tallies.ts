import { Tallies } from "../../src/net/tally/tallies.ts";

/** Of a process that is alone: nobody else frees anything. */
export function ownTallies(of = 1): Tallies {
  const now = (): number => performance.now();
  return new Tallies({ table: undefined, of, now, offset: 0, watch: () => () => {} });
}
