/** Bodies of 206: one range, or several as multipart/byteranges (RFC 9110, 14.6). */
import type { Piece } from "../../wire/http/message.ts";
import { contentRange, type Range } from "../../wire/http/range.ts";
import { pieceOf } from "./answer.ts";
import type { Field } from "./fields.ts";
import type { Variant } from "./resource.ts";

export interface Parts {
  /** Content-Type instead of the file's own. */
  readonly type: string | undefined;
  readonly fields: readonly Field[];
  readonly pieces: readonly Piece[];
}

export function singlePart(variant: Variant, [range]: readonly Range[]): Parts {
  if (!range) return { type: undefined, fields: [], pieces: [] };
  return {
    type: undefined,
    fields: [["Content-Range", contentRange(range, variant.length)]],
    pieces: [pieceOf(variant, range.offset, range.length)],
  };
}

/** `type` is the file's own, said in every part. */
export function multipart(variant: Variant, ranges: readonly Range[], type: string): Parts {
  // 122 random bits: no file contains it but by knowing it beforehand.
  const boundary = crypto.randomUUID();
  const encoder = new TextEncoder();
  const pieces: Piece[] = [];
  for (const [i, range] of ranges.entries()) {
    const lead = i === 0 ? "" : "\r\n";
    const where = contentRange(range, variant.length);
    pieces.push(
      encoder.encode(
        `${lead}--${boundary}\r\nContent-Type: ${type}\r\nContent-Range: ${where}\r\n\r\n`,
      ),
      pieceOf(variant, range.offset, range.length),
    );
  }
  pieces.push(encoder.encode(`\r\n--${boundary}--\r\n`));
  return { type: `multipart/byteranges; boundary=${boundary}`, fields: [], pieces };
}
