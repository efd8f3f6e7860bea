import { expect, test } from "bun:test";

import fc from "fast-check";

import { HASH_WORDS } from "../../../../src/services/dns/zone/nsec3-hash.ts";
import { sortHashes } from "../../../../src/services/dns/zone/sort-hashes.ts";

/** Few values, so that hashes agree in some of their words. */
const word = fc.constantFrom(0, 1, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff);

test("as a comparing sort would", () => {
  const hash = fc.array(word, { minLength: HASH_WORDS, maxLength: HASH_WORDS });
  fc.assert(
    fc.property(fc.array(hash, { maxLength: 60 }), (hashes) => {
      const nodes = Uint32Array.from(hashes, (_, i) => i);
      const turns = sortHashes(nodes, Uint32Array.from(hashes.flat()));
      let step = turns.next();
      while (!step.done) step = turns.next();
      const shown = hashes.map((one) => one.map((n) => n.toString(16).padStart(8, "0")).join(""));
      expect(Array.from(step.value, (node) => shown[node])).toEqual(shown.toSorted());
    }),
    { numRuns: 30 },
  );
});
