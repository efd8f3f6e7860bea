/** `before`, and `bytes[from, to)` behind it. */
export function joined(
  before: Uint8Array,
  bytes: Uint8Array,
  from: number,
  to: number,
): Uint8Array {
  const all = new Uint8Array(before.length + to - from);
  all.set(before);
  all.set(bytes.subarray(from, to), before.length);
  return all;
}
