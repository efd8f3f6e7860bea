/** Bytes around the input, so that a parser which reads beyond it answers by what it finds there. */
export interface Placed {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/** The same input between zeros, between 0xff and between what a greedy reader would like best. */
export function amidst(input: Uint8Array, lure: string): Placed[] {
  const bait = Uint8Array.from(lure, (c) => c.charCodeAt(0));
  return [new Uint8Array(64), new Uint8Array(64).fill(0xff), bait].map((around) => {
    const bytes = new Uint8Array(2 * around.length + input.length);
    bytes.set(around);
    bytes.set(input, around.length);
    bytes.set(around, around.length + input.length);
    return { bytes, from: around.length, to: around.length + input.length };
  });
}

/** The input as a view into such a block. */
export function views(input: Uint8Array, lure: string): Uint8Array[] {
  return amidst(input, lure).map(({ bytes, from, to }) => bytes.subarray(from, to));
}

/** Characters below 256 as bytes. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}
