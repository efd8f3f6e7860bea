import type { Flow, FlowSink } from "../../../wire/http/message.ts";
import { Growing } from "./growing.ts";

/** Once a body is not to be kept, the slowest reader may be so far behind. */
const AHEAD = 256 * 1024;

export interface FillingNeeds {
  /** May `more` bytes be held, beside the `held` ones? If not, the body is only passed on. */
  mayHold(held: number, more: number): boolean;
  /** It is whole and kept: its pieces. Otherwise undefined. Called once. */
  over(pieces: Uint8Array[] | undefined): void;
  /** It will not be kept; those who read it go on. */
  tooLarge(): void;
}

/**
 * A body on its way from a server, kept while it comes and read by any number at their own pace.
 * While it is kept nobody's pace holds it up; one that turns out too large to be kept is passed
 * on, as fast as the slowest reader takes it.
 */
export class Filling implements FlowSink {
  readonly length: number | undefined;
  readonly #flow: Flow;
  readonly #needs: FillingNeeds;
  readonly #bytes: Growing;
  readonly #readers = new Set<Reader>();
  #state: "filling" | "whole" | "broken" = "filling";
  #keeping = true;
  /** Somebody has decided whether to read it. */
  #claimed = false;
  #held = false;
  #error: Error | undefined;

  constructor(flow: Flow, length: number | undefined, needs: FillingNeeds) {
    this.#flow = flow;
    this.length = length;
    this.#needs = needs;
    this.#bytes = new Growing(length);
  }

  begin(): void {
    this.#flow.start(this);
  }

  /** It may be read from its beginning. */
  get open(): boolean {
    return this.#state !== "broken" && this.#bytes.held === this.#bytes.length;
  }

  /** Bytes [from, to) as they come. Only while it is `open`. */
  read(from: number, to: number): Flow {
    this.#claimed = true;
    return new Reader(this, from, to);
  }

  /** Whoever asked for it does not want to read it: it is fetched for keeping, or not at all. */
  leaveUnread(): void {
    this.#claimed = true;
    this.moved();
  }

  write(bytes: Uint8Array, from: number, to: number): boolean {
    const more = to - from;
    if (this.#keeping && !this.#needs.mayHold(this.#bytes.held, more)) {
      this.#keeping = false;
      this.#needs.tooLarge();
    }
    this.#bytes.add(bytes, from, to);
    for (const reader of this.#readers) reader.more();
    return this.#goesOn();
  }

  end(): void {
    this.#state = "whole";
    if (this.length !== undefined && this.#bytes.length !== this.length)
      return this.fail(new Error("the body is not as long as it was said to be"));
    this.#needs.over(this.#keeping ? this.#bytes.pieces() : undefined);
    for (const reader of this.#readers) reader.more();
  }

  fail(error: Error): void {
    this.#state = "broken";
    this.#error = error;
    this.#needs.over(undefined);
    for (const reader of this.#readers) reader.more();
  }

  // What readers tell.

  add(reader: Reader): void {
    this.#readers.add(reader);
  }

  /** `reader` has done. */
  remove(reader: Reader): void {
    this.#readers.delete(reader);
    this.moved();
  }

  /** A reader got further: it may be what held the server back. */
  moved(): void {
    if (this.#state !== "filling" || this.#keeping) return;
    const held = this.#held;
    if (this.#goesOn() && held) this.#flow.resume();
  }

  /**
   * Tell `take` of what is in [at, to), while it wants more. Answers how far it got, "over" behind
   * the last byte; throws when the rest will not come.
   */
  tell(
    take: (bytes: Uint8Array, from: number, to: number) => boolean,
    at: number,
    to: number,
  ): number | "over" {
    const got = this.#bytes.tell(at, to, take);
    if (got >= to || (this.#state === "whole" && got === this.#bytes.length)) return "over";
    if (this.#state === "broken" && got === this.#bytes.length)
      throw this.#error ?? new Error("the body was given up");
    return got;
  }

  #goesOn(): boolean {
    this.#held = false;
    if (this.#keeping) return true;
    if (this.#readers.size === 0 && this.#claimed) {
      // Nobody reads it, nobody keeps it.
      this.#state = "broken";
      this.#flow.cancel();
      this.#needs.over(undefined);
      return false;
    }
    let slowest = this.#claimed ? this.#bytes.length : 0;
    for (const { at } of this.#readers) slowest = Math.min(slowest, at);
    this.#bytes.forget(slowest);
    this.#held = this.#bytes.length - slowest > AHEAD;
    return !this.#held;
  }
}

/** One who takes a filling, or a part of it. */
class Reader implements Flow {
  at: number;
  readonly #filling: Filling;
  readonly #to: number;
  #sink: FlowSink | undefined;
  #wants = true;
  #telling = false;
  #again = false;

  constructor(filling: Filling, from: number, to: number) {
    this.#filling = filling;
    this.at = from;
    this.#to = to;
    filling.add(this); // from now on: what it will read must stay
  }

  start(sink: FlowSink): void {
    this.#sink = sink;
    this.more();
  }

  resume(): void {
    this.#wants = true;
    this.more();
  }

  cancel(): void {
    this.#leave();
  }

  /** There may be more to tell. */
  more(): void {
    if (this.#telling) {
      this.#again = true; // told while the sink is: from where it will be then
      return;
    }
    this.#telling = true;
    do {
      this.#again = false;
      this.#tell();
    } while (this.#again);
    this.#telling = false;
    this.#filling.moved();
  }

  #tell(): void {
    const sink = this.#sink;
    if (sink === undefined || !this.#wants) return;
    let got: number | "over";
    try {
      got = this.#filling.tell(
        (bytes, from, to) => this.#give(sink, bytes, from, to),
        this.at,
        this.#to,
      );
    } catch (error) {
      this.#leave();
      return sink.fail(error instanceof Error ? error : new Error(String(error)));
    }
    if (got !== "over") {
      this.at = got;
      return;
    }
    this.#leave();
    sink.end();
  }

  #give(sink: FlowSink, bytes: Uint8Array, from: number, to: number): boolean {
    this.#wants = false;
    const more = sink.write(bytes, from, to);
    // It may have asked for more before it said that it has enough.
    this.#wants ||= more;
    return this.#wants && this.#sink !== undefined;
  }

  #leave(): void {
    this.#sink = undefined;
    this.#filling.remove(this);
  }
}
