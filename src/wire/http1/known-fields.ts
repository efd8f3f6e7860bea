/** Request fields the server itself looks at, found by hash while their name is read. */
export const Slot = {
  host: 0,
  connection: 1,
  contentLength: 2,
  transferEncoding: 3,
  expect: 4,
  upgrade: 5,
  range: 6,
  ifNoneMatch: 7,
  ifModifiedSince: 8,
  ifMatch: 9,
  ifUnmodifiedSince: 10,
  ifRange: 11,
  acceptEncoding: 12,
  authorization: 13,
  userAgent: 14,
  referer: 15,
} as const;
export type Slot = (typeof Slot)[keyof typeof Slot];

const NAMES = [
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "expect",
  "upgrade",
  "range",
  "if-none-match",
  "if-modified-since",
  "if-match",
  "if-unmodified-since",
  "if-range",
  "accept-encoding",
  "authorization",
  "user-agent",
  "referer",
];

export const SLOTS = NAMES.length;

/** The hash `parseHead` makes of a name: 31 * h + (byte | 0x20), 32 bits. */
function hashOf(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++)
    hash = (Math.imul(hash, 31) + (name.charCodeAt(i) | 0x20)) | 0;
  return hash;
}

const BUCKETS = 64;
const bytesOf = NAMES.map((name) => Uint8Array.from(name, (c) => c.charCodeAt(0)));
const hashes = Int32Array.from(NAMES, hashOf);
/** Slot + 1 by the hash's low bits; linear probing. */
const places = new Uint8Array(BUCKETS);
for (const [slot, name] of NAMES.entries()) {
  let at = hashOf(name) & (BUCKETS - 1);
  while (places[at] !== 0) at = (at + 1) & (BUCKETS - 1);
  places[at] = slot + 1;
}

/** The slot of the name in `bytes[from, to)`, any case, or -1. `hash` as `parseHead` makes it. */
export function knownField(bytes: Uint8Array, from: number, to: number, hash: number): number {
  for (let at = hash & (BUCKETS - 1); ; at = (at + 1) & (BUCKETS - 1)) {
    const slot = places[at]! - 1;
    if (slot < 0) return -1;
    if (hashes[slot] !== hash) continue;
    const name = bytesOf[slot]!;
    if (name.length !== to - from) continue;
    let same = true;
    for (let i = 0; i < name.length && same; i++) {
      const c = bytes[from + i]!;
      same = (c >= 65 && c <= 90 ? c | 0x20 : c) === name[i];
    }
    if (same) return slot;
  }
}
