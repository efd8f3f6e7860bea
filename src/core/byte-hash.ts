/** For tables that are searched by bytes where they lie. Not for anything an enemy must not steer. */

const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;

/** FNV-1a, 32 bits. `seed`: what goes before. */
export function hash(bytes: Uint8Array, from: number, to: number, seed = FNV_OFFSET): number {
  let h = seed;
  for (let i = from; i < to; i++) h = Math.imul(h ^ bytes[i]!, FNV_PRIME);
  return h ^ (h >>> 15);
}

/** Are these the bytes of `a`? */
export function equal(a: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (a.length !== to - from) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== bytes[from + i]) return false;
  return true;
}
