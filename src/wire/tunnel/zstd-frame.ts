/** Zstandard's magic number, little-endian (RFC 8878, 3.1.1). */
const MAGIC = 0xfd2f_b528;
/** Magic number, and the frame header's descriptor. */
const HEAD = 5;
const SINGLE_SEGMENT = 0x20;
const HAS_CHECKSUM = 0x04;
const CHECKSUM = 4;
/** Bytes of a dictionary's id, by the lowest two bits. */
const DICTIONARY = [0, 1, 2, 4] as const;
const BLOCK_HEAD = 3;
/** A block that is one byte, so many times. */
const REPEATED = 1;

/**
 * How long the content of one whole Zstandard frame is, as its header says (RFC 8878, 3.1.1.1).
 * Undefined: it is none, or does not say, or more follows it, whose length nobody was told; lengths of
 * four bytes and more are not read.
 */
export function contentOf(bytes: Uint8Array<ArrayBuffer>): number | undefined {
  if (bytes.length < HEAD) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) return undefined;
  const descriptor = view.getUint8(HEAD - 1);
  const single = (descriptor & SINGLE_SEGMENT) !== 0;
  const at = HEAD + (single ? 0 : 1) + (DICTIONARY[descriptor & 3] ?? 0);
  const wide = descriptor >>> 6;
  const end = at + (wide === 0 ? 1 : 2);
  if (wide > 1 || (wide === 0 && !single) || end > bytes.length) return undefined;
  if (endOf(view, end, descriptor) !== bytes.length) return undefined;
  return wide === 0 ? view.getUint8(at) : view.getUint16(at, true) + 256;
}

/** Where a frame ends whose blocks begin at `from` (3.1.1.2). */
function endOf(view: DataView, from: number, descriptor: number): number | undefined {
  for (let at = from; at + BLOCK_HEAD <= view.byteLength;) {
    const head = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    at += BLOCK_HEAD + (((head >>> 1) & 3) === REPEATED ? 1 : head >>> 3);
    if ((head & 1) === 1) return at + ((descriptor & HAS_CHECKSUM) === 0 ? 0 : CHECKSUM);
  }
  return undefined;
}
