import type { Flow, FlowSink } from "../../../wire/http/message.ts";
import type { Spool } from "./disk/spool.ts";
import { FillingReader } from "./filling-reader.ts";
import { Growing } from "./growing.ts";

/** Once a body is not to be kept, the slowest reader may be so far behind. */
const AHEAD = 256 * 1024;
/** Bytes that may wait for the disk before the server is held back. */
const MOST_UNWRITTEN = 4 * 1024 * 1024;

/** What became of a body that was to be kept: where it is now. */
export type Gathered =
  | { readonly kind: "pieces"; readonly pieces: Uint8Array[] }
  | { readonly kind: "spooled"; readonly spool: Spool; readonly length: number };

export interface FillingNeeds {
  /** May `length` bytes be kept, `more` of them new? If not, the body is only passed on. */
  mayKeep(length: number, more: number, spooled: boolean): boolean;
  /** Bodies longer than this go to disk while they come. Infinity when there is none. */
  readonly spoolFrom: number;
  /** Begin to write there; undefined when that cannot be done. */
  spool(moved: () => void): Spool | undefined;
  /** It is whole and kept; or neither will ever be. Called once. */
  over(gathered: Gathered | undefined): void;
  /** It will not be kept; those who read it go on. */
  tooLarge(): void;
}

/**
 * A body on its way from a server, kept while it comes and read by any number at their own pace.
 * While it is kept nobody's pace holds it up; one that turns out too large to be kept is passed
 * on, as fast as the slowest reader takes it. Of a long one only the latest bytes are in memory:
 * the rest is on disk, for those who are behind.
 */
export class Filling implements FlowSink {
  readonly length: number | undefined;
  readonly #flow: Flow;
  readonly #needs: FillingNeeds;
  readonly #bytes: Growing;
  readonly #readers = new Set<FillingReader>();
  #spool: Spool | undefined;
  #state: "filling" | "whole" | "broken" = "filling";
  #keeping = true;
  /** Somebody has decided whether to read it. */
  #claimed = false;
  #held = false;
  #error: Error | undefined;
  #told = false;

  constructor(flow: Flow, length: number | undefined, needs: FillingNeeds) {
    this.#flow = flow;
    this.length = length;
    this.#needs = needs;
    this.#bytes = new Growing(length, (block) => {
      if (this.#keeping) this.#spool?.add(block);
    });
  }

  begin(): void {
    this.#flow.start(this);
  }

  /** It may be read from its beginning. */
  get open(): boolean {
    if (this.#state === "broken") return false;
    return this.#bytes.first === 0 || (this.#spool?.readable ?? false);
  }

  /** Bytes [from, to) as they come. Only while it is `open`. */
  read(from: number, to: number): Flow {
    this.#claimed = true;
    const reader = new FillingReader(this, from, to);
    this.#readers.add(reader); // from now on: what it will read must stay
    return reader;
  }

  /** Whoever asked for it does not want to read it: it is fetched for keeping, or not at all. */
  leaveUnread(): void {
    this.#claimed = true;
    this.moved();
  }

  write(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.#keeping) this.#mayKeep(to - from);
    this.#bytes.add(bytes, from, to);
    for (const reader of this.#readers) reader.more();
    return this.#goesOn();
  }

  end(): void {
    if (this.length !== undefined && this.#bytes.length !== this.length)
      return this.fail(new Error("the body is not as long as it was said to be"));
    this.#state = "whole";
    if (this.#keeping && this.#spool !== undefined) void this.#finish(this.#spool);
    else
      this.#tellOver(this.#keeping ? { kind: "pieces", pieces: this.#bytes.pieces() } : undefined);
    for (const reader of this.#readers) reader.more();
  }

  fail(error: Error): void {
    this.#state = "broken";
    this.#error = error;
    this.#tellOver(undefined);
    for (const reader of this.#readers) reader.more();
  }

  // What readers tell.

  /** `reader` has done. */
  remove(reader: FillingReader): void {
    this.#readers.delete(reader);
    this.moved();
  }

  /** A reader got further, or the disk: it may be what held the server back. */
  moved(): void {
    if (this.#readers.size === 0 && this.#told) this.#spool?.close();
    if (this.#state !== "filling") return;
    const held = this.#held;
    if (this.#goesOn() && held) this.#flow.resume();
  }

  /**
   * Tell `take` of what is in [at, to), while it wants more. Answers how far it got, "over" behind
   * the last byte, "elsewhere" when it has to be loaded; throws when the rest will not come.
   */
  tell(
    take: (bytes: Uint8Array, from: number, to: number) => boolean,
    at: number,
    to: number,
  ): number | "over" | "elsewhere" {
    if (at < this.#bytes.first && at < to) return "elsewhere";
    const got = this.#bytes.tell(at, to, take);
    if (got >= to || (this.#state === "whole" && got >= this.#bytes.length)) return "over";
    if (this.#state === "broken" && got >= this.#bytes.length)
      throw this.#error ?? new Error("the body was given up");
    return got;
  }

  /** Some of what is in [at, to), from disk. */
  async load(at: number, to: number): Promise<Uint8Array> {
    const spool = this.#spool;
    if (spool === undefined) throw new Error("nothing of it is on disk");
    return spool.read(at, Math.min(to, this.#bytes.first));
  }

  #mayKeep(more: number): void {
    const length = this.#bytes.length + more;
    if (this.#spool === undefined && Math.max(length, this.length ?? 0) > this.#needs.spoolFrom) {
      this.#spool = this.#needs.spool(() => this.#written());
      for (const block of this.#bytes.sealed()) this.#spool?.add(block);
    }
    const spooled = this.#spool !== undefined;
    if (this.#spool?.failed !== true && this.#needs.mayKeep(length, more, spooled)) return;
    this.#keeping = false;
    this.#needs.tooLarge();
  }

  /** The disk got further: what it has need not be in memory. */
  #written(): void {
    if (this.#spool !== undefined && this.#state === "filling")
      this.#bytes.forget(this.#spool.written);
    this.moved();
  }

  async #finish(spool: Spool): Promise<void> {
    const { length } = this.#bytes;
    const rest = this.#bytes.unsealed();
    if (rest !== undefined) spool.add(rest);
    const whole = await spool.finished();
    this.#tellOver(whole ? { kind: "spooled", spool, length } : undefined);
  }

  #tellOver(gathered: Gathered | undefined): void {
    this.#told = true;
    if (gathered?.kind !== "spooled") this.#spool?.abandon();
    this.#needs.over(gathered);
    if (this.#readers.size === 0) this.#spool?.close();
  }

  #goesOn(): boolean {
    this.#held = false;
    if (this.#keeping) {
      this.#held = (this.#spool?.waiting ?? 0) > MOST_UNWRITTEN;
      return !this.#held;
    }
    if (this.#readers.size === 0 && this.#claimed) {
      // Nobody reads it, nobody keeps it.
      this.#state = "broken";
      this.#flow.cancel();
      this.#tellOver(undefined);
      return false;
    }
    let slowest = this.#claimed ? this.#bytes.length : 0;
    for (const { at } of this.#readers) slowest = Math.min(slowest, at);
    this.#bytes.forget(slowest);
    this.#held = this.#bytes.length - slowest > AHEAD;
    return !this.#held;
  }
}
