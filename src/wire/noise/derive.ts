import type { Primitives } from "./primitives.ts";

const ONE = Uint8Array.of(1);

/** A key for another purpose than the one it was agreed for (RFC 5869, with one block): its name says which. */
export function derive(primitives: Primitives, key: Uint8Array, purpose: string): Uint8Array {
  const extracted = primitives.hmac(new Uint8Array(32), key);
  return primitives.hmac(extracted, new TextEncoder().encode(purpose), ONE);
}
