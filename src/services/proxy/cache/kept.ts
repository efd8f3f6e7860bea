import type { Body, Piece } from "../../../wire/http/message.ts";

/** Bytes in memory, in one piece or several. */
export interface InMemory {
  readonly kind: "memory";
  readonly pieces: readonly Uint8Array[];
  readonly length: number;
}

/** The body of a stored response. */
export type Kept = InMemory;

export function inMemory(pieces: readonly Uint8Array[]): InMemory {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  return { kind: "memory", pieces, length };
}

/** Its bytes [from, to). */
export function piecesOf(kept: Kept, from: number, to: number): Piece[] {
  const pieces: Piece[] = [];
  let start = 0;
  for (const piece of kept.pieces) {
    const end = start + piece.length;
    if (from < end && to > start)
      pieces.push(
        from <= start && to >= end
          ? piece
          : piece.subarray(Math.max(0, from - start), Math.min(to, end) - start),
      );
    start = end;
  }
  return pieces;
}

/** What is sent of it. */
export function bodyOf(kept: Kept, from: number, to: number): Body {
  return { kind: "pieces", pieces: piecesOf(kept, from, to) };
}
