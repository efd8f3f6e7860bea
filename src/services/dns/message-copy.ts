/**
 * A copy of the message in `bytes[from, to)`. TLS and HTTPS hand over a Buffer, whose own `slice` is a
 * view: what is done to it is done to all.
 */
export function messageCopy(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(bytes.subarray(from, to));
}
