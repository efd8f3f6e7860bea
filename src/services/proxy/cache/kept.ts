import { closeSync } from "node:fs";

import { block } from "../../../sys/memory.ts";
import type { Body, Flow, FlowSink, Piece } from "../../../wire/http/message.ts";
import type { Held } from "./arena.ts";

/** Bytes of our own, in one piece or several: they came just now. */
export interface InPieces {
  readonly kind: "pieces";
  readonly pieces: readonly Uint8Array[];
  readonly length: number;
}

/** Bytes in an open file, which stays open as long as somebody holds them: whoever opened it does. */
export class InFile {
  readonly kind = "file";
  #users = 1;

  constructor(
    readonly fd: number,
    readonly offset: number,
    readonly length: number,
  ) {}

  hold(): void {
    this.#users++;
  }

  drop(): void {
    if (--this.#users === 0) closeSync(this.fd);
  }
}

/** The body of a stored response. */
export type Kept = InPieces | Held | InFile;

/** So much of a body is copied for a client at once; more of it while it is sent. */
const COPIED = 64 * 1024;
/** What is sent passes through here; all flows take turns. */
const SCRATCH = block(COPIED).bytes;

export function inPieces(pieces: readonly Uint8Array[]): InPieces {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  return { kind: "pieces", pieces, length };
}

/** Bytes [from, to) of a body as they lie in memory; undefined when they are too many to be copied now. */
export function piecesOf(kept: Kept, from: number, to: number): Piece[] | undefined {
  const end = Math.min(to, kept.length);
  if (kept.kind === "file") return undefined;
  if (kept.kind === "memory") {
    if (end - from > COPIED) return undefined;
    const bytes = new Uint8Array(new ArrayBuffer(end - from));
    kept.read(from, end, bytes, 0);
    return [bytes];
  }
  const pieces: Piece[] = [];
  let start = 0;
  for (const piece of kept.pieces) {
    const stop = start + piece.length;
    if (from < stop && end > start)
      pieces.push(piece.subarray(Math.max(0, from - start), Math.min(stop, end) - start));
    start = stop;
  }
  return pieces;
}

/** What is sent of it: [from, to). */
export function bodyOf(kept: Kept, from: number, to: number): Body {
  if (kept.kind === "file") {
    kept.hold();
    const slice = {
      fd: kept.fd,
      offset: kept.offset + from,
      length: Math.min(to, kept.length) - from,
    };
    return { kind: "pieces", pieces: [slice], release: () => kept.drop() };
  }
  const pieces = piecesOf(kept, from, to);
  if (pieces !== undefined) return { kind: "pieces", pieces };
  if (kept.kind !== "memory") throw new Error("what is in pieces can be had in pieces");
  const end = Math.min(to, kept.length);
  return { kind: "flow", flow: new Copying(kept, from, end), length: end - from };
}

/** Sends from the cache's memory, no faster than the client takes it. */
class Copying implements Flow {
  readonly #held: Held;
  readonly #to: number;
  #at: number;
  #sink: FlowSink | undefined;
  #over = false;
  #wants = true;
  #telling = false;

  constructor(held: Held, from: number, to: number) {
    this.#held = held;
    this.#at = from;
    this.#to = to;
    held.hold();
  }

  start(sink: FlowSink): void {
    this.#sink = sink;
    this.#tell();
  }

  resume(): void {
    this.#wants = true;
    this.#tell();
  }

  cancel(): void {
    this.#end();
  }

  #tell(): void {
    const sink = this.#sink;
    if (sink === undefined || this.#telling) return;
    this.#telling = true;
    while (this.#wants && !this.#over && this.#at < this.#to) {
      const length = Math.min(COPIED, this.#to - this.#at);
      this.#held.read(this.#at, this.#at + length, SCRATCH, 0);
      this.#at += length;
      this.#wants = false; // the sink may ask for more before it says that it has enough
      if (sink.write(SCRATCH, 0, length)) this.#wants = true;
    }
    this.#telling = false;
    if (this.#over || this.#at < this.#to) return;
    this.#end();
    sink.end();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink = undefined;
    this.#held.drop();
  }
}
