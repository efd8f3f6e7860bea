import type { Flow, FlowSink } from "../../../../wire/http/message.ts";
import type { Entry } from "../entry.ts";
import { bodyOf } from "../kept.ts";
import type { Slice } from "./slices.ts";

/** Whoever sends takes all that it is told at once: no more than so much. */
const STEP = 64 * 1024;

/**
 * Bytes [from, to) of a response that is kept in slices: one after the other, fetched when it is their
 * turn. Not more than one of them is held, however slow the client.
 */
export class SlicedFlow implements Flow {
  readonly #size: number;
  readonly #take: (index: number) => Promise<Slice>;
  #at: number;
  readonly #to: number;
  #next: Promise<Slice> | undefined;
  #held: Entry | undefined;
  /** Where the slice's bytes come from while they do not all fit. */
  #inner: Flow | undefined;
  #wants = true;
  #room: (() => void) | undefined;
  #left: (() => void) | undefined;
  #over = false;

  constructor(size: number, from: number, to: number, take: (index: number) => Promise<Slice>) {
    this.#size = size;
    this.#at = from;
    this.#to = to;
    this.#take = take;
  }

  /** What becomes of its first slice. */
  async first(): Promise<"here" | "fetched" | "changed" | "failed"> {
    this.#next ??= this.#take(Math.floor(this.#at / this.#size));
    const slice = await this.#next;
    if (typeof slice === "string") return slice;
    this.#held = slice.entry;
    return slice.fetched ? "fetched" : "here";
  }

  start(sink: FlowSink): void {
    void this.#run(sink).catch((error: unknown) => {
      if (!this.#over) sink.fail(error instanceof Error ? error : new Error(String(error)));
      this.#over = true;
      this.#letGo();
    });
  }

  resume(): void {
    this.#wants = true;
    this.#inner?.resume();
    this.#room?.();
  }

  cancel(): void {
    this.#over = true;
    this.#inner?.cancel();
    this.#room?.();
    this.#left?.();
    this.#letGo();
  }

  async #run(sink: FlowSink): Promise<void> {
    while (this.#at < this.#to && !this.#over) {
      const index = Math.floor(this.#at / this.#size);
      const slice = await (this.#next ?? this.#take(index));
      this.#next = undefined;
      if (typeof slice === "string") throw new Error(`the next part cannot be had: ${slice}`);
      this.#held = slice.entry;
      if (this.#over) break;
      const from = this.#at - index * this.#size;
      const to = Math.min(this.#size, this.#to - index * this.#size);
      await this.#send(slice.entry, from, to, sink);
      this.#at = index * this.#size + to;
      this.#letGo();
    }
    this.#letGo();
    if (this.#over) return;
    this.#over = true;
    sink.end();
  }

  async #send({ body }: Entry, from: number, to: number, sink: FlowSink): Promise<void> {
    if (!this.#wants) await this.#untilRoom();
    if (this.#over) return;
    const sent = bodyOf(body, from, to);
    if (sent.kind === "flow") return this.#relay(sent.flow, sink);
    if (sent.kind !== "pieces") throw new Error("a slice is bytes");
    for (const piece of sent.pieces) {
      if (!(piece instanceof Uint8Array))
        throw new Error("slices are too short to be sent as files");
      for (let at = 0; at < piece.length; at += STEP) {
        if (!this.#wants) await this.#untilRoom();
        if (this.#over) return;
        this.#write(sink, piece, at, Math.min(piece.length, at + STEP));
      }
    }
  }

  #relay(flow: Flow, sink: FlowSink): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#left = resolve;
      this.#inner = flow;
      const done = (): void => {
        this.#inner = undefined;
        this.#left = undefined;
      };
      flow.start({
        write: (bytes, from, to) => this.#write(sink, bytes, from, to),
        end: () => {
          done();
          resolve();
        },
        fail: (error) => {
          done();
          reject(error);
        },
      });
    });
  }

  #write(sink: FlowSink, bytes: Uint8Array, from: number, to: number): boolean {
    this.#wants = false; // it may ask for more before it says that it has enough
    if (sink.write(bytes, from, to)) this.#wants = true;
    return this.#wants;
  }

  async #untilRoom(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#room = resolve;
    });
    this.#room = undefined;
  }

  #letGo(): void {
    this.#held?.drop();
    this.#held = undefined;
  }
}
