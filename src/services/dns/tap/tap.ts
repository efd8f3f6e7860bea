import type { Clock } from "../../../core/clock.ts";
import { TAP, TapFrames, type TapType } from "../../../wire/dns/dnstap.ts";
import { HEADER } from "../../../wire/dns/query.ts";
import type { Via } from "../via.ts";

/** Where frames go. Takes them or drops them, and never waits. */
export interface TapSink {
  /** `frames` is how many there are in `bytes`. */
  send(bytes: Uint8Array, frames: number): void;
}

/** No frame waits longer than this, nor once there are so many bytes. */
const FLUSH_MS = 200;
const FLUSH_BYTES = 32 * 1024;

/** What is told, and of how many. */
export interface TapWishes {
  readonly messages: "queries" | "responses" | "both";
  /** The part of the questions. */
  readonly sample: number;
  readonly identity: string;
}

/** Tells a sink of questions and of what they were answered (dnstap). */
export class Tap {
  readonly #wishes: TapWishes;
  readonly #sink: TapSink;
  readonly #clock: Clock;
  readonly #dice: () => number;
  readonly #frames: TapFrames;
  /** Frames wait to be sent. */
  #cancel: (() => void) | undefined;

  /** `dice`: from 0 up to 1. */
  constructor(wishes: TapWishes, sink: TapSink, clock: Clock, dice: () => number) {
    this.#wishes = wishes;
    this.#sink = sink;
    this.#clock = clock;
    this.#dice = dice;
    this.#frames = new TapFrames(wishes.identity);
  }

  /** The message between `from` and `to` of `bytes` came, and was answered by the first `length` of `answer` from `at` on. */
  note(
    bytes: Uint8Array,
    from: number,
    to: number,
    via: Via,
    answer: Uint8Array,
    at: number,
    length: number,
  ): void {
    const { messages, sample } = this.#wishes;
    if (sample < 1 && this.#dice() >= sample) return;
    // Less is no DNS; readers would stumble.
    if (messages !== "responses" && to - from >= HEADER)
      this.#add(TAP.AUTH_QUERY, bytes.subarray(from, to), via);
    if (messages !== "queries" && length > 0)
      this.#add(TAP.AUTH_RESPONSE, answer.subarray(at, at + length), via);
    if (this.#frames.length >= FLUSH_BYTES) this.flush();
    else this.#cancel ??= this.#clock.later(FLUSH_MS, () => this.flush());
  }

  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const { count } = this.#frames;
    if (count > 0) this.#sink.send(this.#frames.take(), count);
  }

  #add(type: TapType, message: Uint8Array, { transport, client, port, wall }: Via): void {
    this.#frames.add({ type, transport, client, port, wall, message });
  }
}
