/** `multipart/byteranges` (RFC 9110, 14.6), with its length known before the first byte is sent. */
import { contentRange, type Range } from "./range.ts";

export interface Multipart {
  /** For the response as a whole. */
  readonly contentType: string;
  /** Bytes of everything: heads, ranges and tail. */
  readonly length: number;
  /** Send each head, then the bytes of its range. */
  readonly parts: readonly { readonly head: Uint8Array; readonly range: Range }[];
  /** Send last. */
  readonly tail: Uint8Array;
}

/**
 * Frame ranges of a representation of `size` bytes and media type `type`. `boundary` must not
 * occur in the content: the caller draws 1 to 70 letters and digits at random (RFC 2046, 5.1.1).
 */
export function multipart(
  ranges: readonly Range[],
  size: number,
  type: string,
  boundary: string,
): Multipart {
  const ascii = new TextEncoder();
  const parts = ranges.map((range, i) => ({
    head: ascii.encode(
      `${i === 0 ? "" : "\r\n"}--${boundary}\r\n` +
        `Content-Type: ${type}\r\nContent-Range: ${contentRange(range, size)}\r\n\r\n`,
    ),
    range,
  }));
  const tail = ascii.encode(`\r\n--${boundary}--\r\n`);
  const length = parts.reduce((sum, p) => sum + p.head.length + p.range.length, tail.length);
  return { contentType: `multipart/byteranges; boundary=${boundary}`, length, parts, tail };
}
