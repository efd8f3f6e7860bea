/**
 * Weighted rendezvous hashing (`hrw-1`). Every member draws a number from its id and the key, and
 * the highest have the copies: who comes or goes takes or leaves its own share, and nothing else
 * moves. The draw is -weight / ln(u), u uniform in (0, 1), so that a share is as the weight is
 * (Schindelhauer and Schomaker, "Weighted distributed hash tables", 2005).
 *
 * It is data, not code: what is stored is where these lines say. They may never change; another
 * arithmetic is another placement.
 */
import { copiesOf, type Order, type Placement, type StageRecord } from "./stage.ts";

const WORD = 2 ** 32;
/** u has this many bits, the upper ones from one word and the lower ones from the other. */
const LOW_BITS = 2 ** 20;
const UNIFORM = WORD * LOW_BITS;
/** So that the two words of a draw differ: the golden ratio as a word. */
const GOLDEN = 0x9e3779b9;

interface Candidate {
  readonly index: number;
  readonly high: number;
  readonly low: number;
  readonly weight: number;
  readonly zone: number;
}

/** Members by their draws; copies in distinct zones while there are zones left. */
export function rendezvous(stage: StageRecord): Placement {
  const zones = new Map<string, number>();
  const candidates = stage.slots.map(({ id, weight, zone }, index): Candidate => {
    const name = zone === undefined ? `id ${id}` : `zone ${zone}`;
    if (!zones.has(name)) zones.set(name, zones.size);
    const [high, low] = words(id);
    return { index, high, low, weight, zone: zones.get(name) ?? 0 };
  });
  const copies = copiesOf(stage);
  const apart = zones.size < candidates.length;
  const draws = new Float64Array(candidates.length);

  return (key): Order => {
    const [high, low] = words(key);
    const ranked: Candidate[] = [];
    for (const candidate of candidates) {
      const first = mix(candidate.high ^ high ^ Math.imul(candidate.low, GOLDEN));
      const second = mix(first ^ low ^ candidate.low);
      const u = (first * LOW_BITS + (second >>> 12) + 0.5) / UNIFORM;
      const draw = -candidate.weight / Math.log(u);
      // Few enough that an insertion is cheaper than a sort. Of equals the first one wins.
      let at = ranked.length;
      for (; at > 0 && (draws[at - 1] ?? 0) < draw; at--) {
        draws[at] = draws[at - 1] ?? 0;
        ranked[at] = ranked[at - 1] ?? candidate;
      }
      draws[at] = draw;
      ranked[at] = candidate;
    }
    return (apart ? spread(ranked, copies) : ranked).map(({ index }) => index);
  };
}

/** The first `copies` so that no zone has two while another has none, no three while another has one... */
function spread(ranked: readonly Candidate[], copies: number): Candidate[] {
  const homes: Candidate[] = [];
  let rest = [...ranked];
  while (homes.length < copies) {
    const used = new Set<number>();
    const left: Candidate[] = [];
    for (const one of rest) {
      if (homes.length >= copies || used.has(one.zone)) left.push(one);
      else {
        used.add(one.zone);
        homes.push(one);
      }
    }
    rest = left;
  }
  return [...homes, ...rest];
}

/** Two XXH32 of UTF-8 text. */
function words(text: string): [high: number, low: number] {
  return [Bun.hash.xxHash32(text, 0), Bun.hash.xxHash32(text, GOLDEN)];
}

/** MurmurHash3's finalizer: every bit in sways every bit out. Unsigned. */
function mix(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
