/** Addresses as bytes: four for IPv4, sixteen for IPv6, most significant first. */
/** Bits that `a` and `b` have in common, from the first on. Two of one length. */
export function commonBits(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < b.length; i++) {
    const different = (a[i] as number) ^ (b[i] as number);
    if (different !== 0) return i * 8 + Math.clz32(different) - 24;
  }
  return b.length * 8;
}
