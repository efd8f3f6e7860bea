import { hashPair } from "./hash.ts";
import { NONE, type Scheduler, type Slate } from "./slate.ts";

const TWO_32 = 2 ** 32;

/**
 * A client is the server's that draws the best lot for it (weighted rendezvous, draft-ietf-bess-
 * weighted-hrw): when one leaves only its clients move, each share is as large as the weight, and
 * every process comes to the same result. It looks at every server; `Maglev` at one.
 */
export class Rendezvous implements Scheduler {
  reset(): void {}

  choose({ candidates, count, shares, keys, blocked }: Slate, hash: number): number {
    let best = NONE;
    let most = -Infinity;
    for (let i = 0; i < count; i++) {
      const one = candidates[i] as number;
      if (blocked[one] !== 0) continue;
      const lot = (hashPair(hash, keys[one] as number) + 0.5) / TWO_32; // never 0, never 1
      const score = (shares[one] as number) / -Math.log(lot);
      if (score > most) {
        most = score;
        best = one;
      }
    }
    return best;
  }
}
