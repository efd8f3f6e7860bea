/** The ones' complement sum (RFC 1071) of `length` bytes at `at`, folded to 16 bits, on top of `start`. Not inverted. */
export function sum(bytes: Uint8Array, at: number, length: number, start = 0): number {
  let total = start;
  const end = at + length;
  let i = at;
  // At most 65 535 bytes: far below 2^53.
  for (; i + 1 < end; i += 2) total += ((bytes[i] as number) << 8) | (bytes[i + 1] as number);
  if (i < end) total += (bytes[i] as number) << 8;
  return fold(total);
}

/** Carries added back in until there are none. */
export function fold(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = Math.floor(folded / 0x10000) + (folded & 0xffff);
  return folded;
}
