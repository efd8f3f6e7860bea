import { HASH_WORDS } from "./nsec3-hash.ts";

/** Buckets by the first bits of a hash: hashes are spread evenly, so that few share one. */
const BUCKET_BITS = 16;
/** What takes about a millisecond. */
const BUCKETS_A_TURN = 512;

/**
 * `nodes` in the order of their hashes, of which `words` has five words for each node: dealt into
 * buckets, each of which is then sorted; a comparing sort of a million at once would take a second.
 */
export function* sortHashes(
  nodes: Uint32Array,
  words: Uint32Array,
): Generator<void, Uint32Array, void> {
  const ends = new Uint32Array((1 << BUCKET_BITS) + 1);
  const bucketOf = (node: number): number =>
    (words[node * HASH_WORDS] as number) >>> (32 - BUCKET_BITS);
  for (const node of nodes) {
    const bucket = bucketOf(node) + 1;
    ends[bucket] = (ends[bucket] as number) + 1;
  }
  for (let i = 1; i < ends.length; i++) ends[i] = (ends[i] as number) + (ends[i - 1] as number);
  yield;

  // What were the beginnings become the ends as the buckets fill.
  const order = new Uint32Array(nodes.length);
  for (const node of nodes) {
    const bucket = bucketOf(node);
    const at = ends[bucket] as number;
    order[at] = node;
    ends[bucket] = at + 1;
  }
  let from = 0;
  for (let bucket = 0; bucket < 1 << BUCKET_BITS; bucket++) {
    if (bucket % BUCKETS_A_TURN === 0) yield;
    const to = ends[bucket] as number;
    if (to - from > 1) order.subarray(from, to).sort((a, b) => compare(words, a, b));
    from = to;
  }
  return order;
}

function compare(words: Uint32Array, a: number, b: number): number {
  for (let i = 0; i < HASH_WORDS; i++) {
    const order = (words[a * HASH_WORDS + i] as number) - (words[b * HASH_WORDS + i] as number);
    if (order !== 0) return order;
  }
  return 0;
}
