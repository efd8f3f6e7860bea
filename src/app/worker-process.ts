import { constants } from "node:os";

import type { Subprocess } from "bun";

import type { Log } from "../observe/log.ts";
import { sendFds, socketPair } from "../sys/fd-passing.ts";
import { close } from "../sys/socket.ts";
import { Channel, type Handlers } from "./channel.ts";
import { FILE_THREADS } from "./file-threads.ts";
import { LastLines } from "./last-lines.ts";
import type { Orders, Requests } from "./messages.ts";
import { thisProgram } from "./myself.ts";
import { ticketBytes } from "./remote-sockets.ts";

/** Enough for a stack with its cause. */
const LINES_KEPT = 30;
const STDERR = 2;

/** How a worker ended. */
export interface Death {
  readonly code: number | null;
  readonly signal: string | null;
  /** What it said last on its standard error: the stack, when it was a crash. */
  readonly said: string;
  /** Milliseconds it had lived. */
  readonly lived: number;
}

/** `signal SIGSEGV` or `exit code 1`. */
export function showDeath({ code, signal }: Pick<Death, "code" | "signal">): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

/** A worker as its slot knows it. */
export interface Hand {
  readonly pid: number;
  readonly channel: Pick<Channel<Orders, Requests>, "call">;
  readonly died: Promise<Death>;
  /** Hand it a socket; the answer to its request must be sent after this. */
  give(ticket: number, fd: number): void;
  kill(): void;
}

/** A worker process and the two channels to it. Throws when it cannot be started. */
export class WorkerProcess implements Hand {
  readonly channel: Channel<Orders, Requests>;
  readonly died: Promise<Death>;
  readonly #process: Subprocess;
  readonly #sock: number;

  /** `memory`: in which workers count together. */
  constructor(index: number, handlers: Handlers<Requests>, log: Log, memory: number | undefined) {
    const startedAt = performance.now();
    const [ours, theirs] = socketPair();
    this.#sock = ours;
    const { promise, resolve } = Promise.withResolvers<{
      code: number | null;
      signal: string | null;
    }>();
    try {
      this.#process = Bun.spawn({
        cmd: thisProgram("worker"),
        argv0: "tern",
        env: { UV_THREADPOOL_SIZE: String(FILE_THREADS), ...process.env },
        // Its log goes to our own standard error; its own is kept for a crash's last words.
        stdio: [
          "ignore",
          "inherit",
          "pipe",
          theirs,
          STDERR,
          ...(memory === undefined ? [] : [memory]),
        ],
        serialization: "json",
        ipc: (message) => this.channel.receive(message),
        onExit: (_process, code, signal) =>
          resolve({ code, signal: signal === null ? null : nameOf(signal) }),
      });
    } catch (failed) {
      close(ours);
      throw failed;
    } finally {
      close(theirs);
    }
    this.channel = new Channel((message) => this.#process.send(message), handlers);
    const said = this.#listen(log.with({ worker: index, pid: this.pid }));
    this.died = promise.then(async ({ code, signal }) => {
      const lived = performance.now() - startedAt;
      const death = { code, signal, said: await said, lived };
      close(ours);
      this.channel.close(new Error(`worker ${index} ended: ${showDeath(death)}`));
      return death;
    });
  }

  get pid(): number {
    return this.#process.pid;
  }

  give(ticket: number, fd: number): void {
    const sent = sendFds(this.#sock, ticketBytes(ticket), [fd]);
    if (sent !== "sent") throw new Error(`a socket could not be handed over (${sent})`);
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  /** Nothing of it keeps this process alive. */
  async #listen(log: Log): Promise<string> {
    const last = new LastLines(LINES_KEPT);
    const text = new TextDecoder();
    try {
      for await (const bytes of this.#process.stderr as ReadableStream<Uint8Array>)
        for (const line of last.push(text.decode(bytes, { stream: true })))
          log.debug("worker says", { line });
    } catch {
      // The pipe broke with the process: what came before is what there is.
    }
    return last.text;
  }
}

const SIGNALS = new Map<number, string>(
  Object.entries(constants.signals).map(([name, number]) => [number, name]),
);

/** Bun tells the number of a signal; its types say it could be the name. */
function nameOf(signal: number | string): string {
  return typeof signal === "string" ? signal : (SIGNALS.get(signal) ?? String(signal));
}
