import { connect, type Socket } from "node:net";

import type { Clock } from "../../../core/clock.ts";
import type { Closable } from "../../../core/lease.ts";
import type { Log } from "../../../observe/log.ts";
import { FrameSender, STOP } from "../../../wire/dns/frame-streams.ts";
import type { TapSink } from "./tap.ts";

/** Bytes that may wait for who listens; beyond that they are dropped. */
const MOST_WAITING = 4 * 1024 * 1024;
/** Between two attempts to find who listens. */
const AGAIN_MS = 1000;
/** For FINISH, at the end. */
const PATIENCE_MS = 2000;

export interface TapSocketParts {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of frames that nobody took. */
  readonly dropped: (frames: number) => void;
}

/** Frames to who listens on a unix socket. While nobody does they are dropped, and it is tried again. */
export class TapSocket implements TapSink, Closable {
  readonly #parts: TapSocketParts;
  readonly #closed = new AbortController();
  /** The connection there is, and when it takes frames: the same once more. */
  #socket: Socket | undefined;
  #ready: Socket | undefined;
  #troubled = false;
  #begun = false;

  constructor(parts: TapSocketParts) {
    this.#parts = parts;
  }

  /** Look for who listens, from now until it is closed. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    void this.#run();
  }

  send(bytes: Uint8Array, frames: number): void {
    const socket = this.#ready;
    if (socket === undefined || socket.writableLength > MOST_WAITING) this.#parts.dropped(frames);
    else socket.write(bytes);
  }

  async close(): Promise<void> {
    this.#closed.abort();
    const socket = this.#ready;
    this.#ready = undefined;
    if (socket === undefined) return void this.#socket?.destroy();
    const gone = new Promise((resolve) => socket.once("close", resolve));
    socket.end(STOP); // FINISH comes, and the connection ends
    const late = setTimeout(() => socket.destroy(), PATIENCE_MS);
    await gone;
    clearTimeout(late);
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#closed;
    while (!signal.aborted) {
      await this.#converse();
      await clock.sleep(AGAIN_MS, signal).catch(() => {}); // closed: the loop sees it
    }
  }

  /** One connection, to its end. */
  #converse(): Promise<void> {
    const { path, log } = this.#parts;
    const sender = new FrameSender();
    const socket = (this.#socket = connect({ path }));
    socket.unref(); // nothing waits for it
    return new Promise((over) => {
      socket.on("connect", () => socket.write(sender.hello()));
      socket.on("data", (bytes: Buffer) => {
        const word = sender.feed(bytes);
        if (word.length > 0) socket.write(word);
        if (sender.state === "refused") socket.destroy(new Error("it does not take dnstap"));
        if (sender.state !== "ready" || this.#closed.signal.aborted || this.#ready) return;
        this.#ready = socket;
        this.#troubled = false;
        log.info("dnstap is taken", { socket: path });
      });
      socket.on("error", (error) => this.#trouble(error.message));
      socket.on("close", () => {
        this.#socket = undefined;
        if (this.#ready === socket) {
          this.#ready = undefined;
          this.#trouble("it was closed");
        }
        over();
      });
    });
  }

  /** Once, until it has been well again. */
  #trouble(why: string): void {
    if (this.#troubled || this.#closed.signal.aborted) return;
    this.#troubled = true;
    this.#parts.log.warn("nobody takes dnstap", { socket: this.#parts.path, why });
  }
}
