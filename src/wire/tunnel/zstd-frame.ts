/** Zstandard's magic number, little-endian (RFC 8878, 3.1.1). */
const MAGIC = 0xfd2f_b528;
/** Magic number, and the frame header's descriptor. */
const HEAD = 5;
const SINGLE_SEGMENT = 0x20;
/** Bytes of a dictionary's id, by the lowest two bits. */
const DICTIONARY = [0, 1, 2, 4] as const;

/**
 * How long the content of a Zstandard frame is, as its header says (RFC 8878, 3.1.1.1). Undefined: it
 * is none, or does not say; lengths of four bytes and more are not read.
 */
export function contentOf(bytes: Uint8Array<ArrayBuffer>): number | undefined {
  if (bytes.length < HEAD) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) return undefined;
  const descriptor = view.getUint8(HEAD - 1);
  const single = (descriptor & SINGLE_SEGMENT) !== 0;
  const at = HEAD + (single ? 0 : 1) + (DICTIONARY[descriptor & 3] ?? 0);
  switch (descriptor >>> 6) {
    case 0:
      return single && at < bytes.length ? view.getUint8(at) : undefined;
    case 1:
      return at + 1 < bytes.length ? view.getUint16(at, true) + 256 : undefined;
    default:
      return undefined;
  }
}
