import type { Clock } from "../core/clock.ts";
import type { Entry, Journal } from "../observe/journal.ts";
import type { Log } from "../observe/log.ts";
import type { Shown } from "./deps.ts";
import { fail } from "./route.ts";

export const STREAM_TYPE = "text/event-stream; charset=utf-8";

/** At once; a console is a person, and a browser opens one for each of its tabs. */
const MOST_LISTENERS = 64;
/** Between two sets of figures. */
const EVERY_MS = 1000;
/** Bytes that wait for one who reads slowly, beside what the kernel holds. */
const MOST_WAITING = 2 ** 20;
/** Figures in a row that one who reads slowly has missed: then they are as good as gone. */
const MOST_MISSED = 15;

/** What the events are made of. */
export interface EventsParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Pick<Journal, "after" | "listen">;
  figures(): Promise<Shown>;
}

/** One who listens. */
export interface Listener {
  /** Are they still who they were, and may they look? Asked every second. */
  allowed(): boolean;
  /** The number of the last log entry they have; without one, only what happens from now on. */
  readonly after: number | undefined;
  /** Aborts when they are gone, or the listener is being closed. */
  readonly signals: readonly (AbortSignal | undefined)[];
}

/**
 * Everything that happens, as server-sent events (WHATWG HTML, 9.2): figures once a second, made
 * once for all and only while somebody listens, and log entries as they come.
 */
export class Events {
  readonly #parts: EventsParts;
  readonly #open = new Set<Stream>();
  #running = false;

  constructor(parts: EventsParts) {
    this.#parts = parts;
  }

  /** How many listen. */
  get size(): number {
    return this.#open.size;
  }

  /** The stream for one more, or the answer that refuses it. */
  open(listener: Listener): Response {
    if (this.#open.size >= MOST_LISTENERS)
      return fail(503, "too_many", "too many listen already; try again later", {
        headers: { "Retry-After": "5" },
      });
    const stream = new Stream(listener, () => this.#open.delete(stream));
    this.#open.add(stream);
    stream.begin();
    const { journal } = this.#parts;
    if (listener.after !== undefined)
      for (const entry of journal.after(listener.after)) stream.send(logEvent(entry));
    stream.release(journal.listen((entry) => stream.send(logEvent(entry))));
    if (!this.#running) void this.#run();
    return new Response(stream.body, {
      headers: {
        "Content-Type": STREAM_TYPE,
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no", // nginx in front would keep them back
      },
    });
  }

  /** Look at once who may still listen. */
  look(): void {
    for (const stream of this.#open) stream.look();
  }

  async #run(): Promise<void> {
    this.#running = true;
    const never = new AbortController().signal;
    while (this.#open.size > 0) {
      this.look();
      await this.#tell();
      await this.#parts.clock.sleep(EVERY_MS, never);
    }
    this.#running = false;
  }

  /** One set of figures for all. When there can be none, a sign of life. */
  async #tell(): Promise<void> {
    let event = ": no figures\n\n";
    try {
      event = `event: stats\ndata: ${JSON.stringify(await this.#parts.figures())}\n\n`;
    } catch (error) {
      this.#parts.log.debug("no figures for the console", { error });
    }
    const bytes = encoder.encode(event);
    for (const stream of this.#open) stream.sendIfFree(bytes);
  }
}

const encoder = new TextEncoder();

function logEvent(entry: Entry): Uint8Array {
  return encoder.encode(`event: log\nid: ${entry.number}\ndata: ${JSON.stringify(entry)}\n\n`);
}

/** The events on their way to one listener. */
class Stream {
  readonly body: ReadableStream<Uint8Array>;
  readonly #listener: Listener;
  readonly #gone: () => void;
  readonly #releases: (() => void)[] = [];
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #missed = 0;

  constructor(listener: Listener, gone: () => void) {
    this.#listener = listener;
    this.#gone = gone;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          // The page knows by it that the line is open, before anything happens.
          controller.enqueue(encoder.encode("retry: 2000\n\n"));
        },
        cancel: () => this.#end(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: MOST_WAITING }),
    );
  }

  /** From now on it ends with its signals. */
  begin(): void {
    const { signals } = this.#listener;
    const over = (): void => this.#say("the server closes this listener");
    for (const signal of signals) {
      signal?.addEventListener("abort", over);
      this.release(() => signal?.removeEventListener("abort", over));
    }
    if (signals.some((signal) => signal?.aborted)) over();
  }

  /** `release` is called once, when it is over. */
  release(release: () => void): void {
    if (this.#controller) this.#releases.push(release);
    else release();
  }

  look(): void {
    if (!this.#listener.allowed()) this.#say("the session is over");
  }

  /** What must not be missed. One who leaves too much of it unread is dropped. */
  send(bytes: Uint8Array): void {
    const controller = this.#controller;
    if (!controller) return;
    if (this.#waiting > MOST_WAITING) return this.#drop();
    controller.enqueue(bytes);
  }

  /** What the next will replace: not for one who has not read the last. */
  sendIfFree(bytes: Uint8Array): void {
    if (this.#waiting > 0) {
      if (++this.#missed > MOST_MISSED) this.#drop();
      return;
    }
    this.#missed = 0;
    this.#controller?.enqueue(bytes);
  }

  get #waiting(): number {
    return MOST_WAITING - (this.#controller?.desiredSize ?? MOST_WAITING);
  }

  /** The last word; then the end. */
  #say(why: string): void {
    const controller = this.#controller;
    this.#end();
    controller?.enqueue(encoder.encode(`event: end\ndata: ${JSON.stringify({ why })}\n\n`));
    controller?.close();
  }

  #drop(): void {
    const controller = this.#controller;
    this.#end();
    controller?.error(new Error("reads too slowly"));
  }

  #end(): void {
    this.#controller = undefined;
    for (const release of this.#releases.splice(0)) release();
    this.#gone();
  }
}
