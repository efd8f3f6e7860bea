/** 32-bit hashes for placing clients on servers. Not for anything an enemy may choose freely. */

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Of a text (FNV-1a over its UTF-16 units, then mixed): the same on every machine. Unsigned. */
export function hashText(text: string): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), FNV_PRIME);
    if (unit > 0xff) hash = Math.imul(hash ^ (unit >>> 8), FNV_PRIME);
  }
  return mix(hash);
}

/** Two hashes as one. Unsigned. */
export function hashPair(a: number, b: number): number {
  return mix(a ^ Math.imul(mix(b + 0x9e3779b9), 0x85ebca6b));
}

/** Every bit of the input counts for every bit of the result (the end of MurmurHash3). Unsigned. */
export function mix(hash: number): number {
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return hash >>> 0;
}
