import { MemberError, STALL_MS, type Upload, within } from "./member.ts";

/** A body of no more bytes is sent at once, with its length. */
const SMALL = 256 * 1024;

/** How the bytes of an upload get to their server. */
export interface Wire {
  /** PUT a whole body at a temporary name; resolves when the server has it. */
  send(body: Uint8Array | ReadableStream<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** Give what was sent its name. */
  place(at: string): Promise<void>;
  /** Remove what was sent. Never rejects. */
  forget(): Promise<void>;
}

/** A file on its way to a server: kept while it is small, streamed when it turns out not to be. */
export class DavUpload implements Upload {
  readonly #wire: Wire;
  /** Bytes it is going to have; undefined: its end tells. */
  readonly #expected: number | undefined;
  readonly #gone = new AbortController();
  #kept: Uint8Array[] = [];
  #size = 0;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Resolves when the server has the whole, once it is streamed. */
  #sent: Promise<void> | undefined;
  /** Why the server will not have it, once that is known. */
  #failure: unknown;
  /** The server wants more. */
  #wanted = Promise.withResolvers<void>();
  #begun = false;
  /** It has been told that there is no more. */
  #ended = false;

  constructor(wire: Wire, expected?: number) {
    this.#wire = wire;
    this.#expected = expected;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#size += bytes.length;
    if (this.#sent === undefined) {
      this.#kept.push(bytes);
      if (this.#size <= SMALL) return;
      this.#stream();
      for (const piece of this.#kept.splice(0)) await this.#pass(piece);
    } else await this.#pass(bytes);
    if (this.#size !== this.#expected) return;
    // A server that knows the length answers, and hangs up, when it has the last byte.
    this.#hand((controller) => controller.close());
    this.#ended = true;
  }

  async finish(): Promise<void> {
    this.#begun = true;
    if (this.#sent === undefined) {
      const body = Buffer.concat(this.#kept);
      this.#kept = [];
      return within(this.#wire.send(body, this.#gone.signal), "PUT", 2 * STALL_MS);
    }
    if (!this.#ended) this.#hand((controller) => controller.close());
    await this.#sent;
  }

  place(at: string): Promise<void> {
    return this.#wire.place(at);
  }

  async abort(): Promise<void> {
    this.#gone.abort();
    this.#kept = [];
    try {
      this.#controller?.error(new Error("given up"));
    } catch {} // it is closed already
    await this.#sent?.catch(() => {}); // it was given up
    if (this.#begun || this.#sent !== undefined) await this.#wire.forget();
  }

  #stream(): void {
    this.#begun = true;
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => this.#wanted.resolve(),
        cancel: () => this.#wanted.reject(new MemberError("away", "the server takes no more")),
      },
      { highWaterMark: 0 },
    );
    this.#sent = this.#wire.send(body, this.#gone.signal);
    this.#wanted.promise.catch(() => {}); // whoever writes hears of it
    this.#sent.catch((error: unknown) => {
      this.#failure = error;
      this.#wanted.reject(error);
    });
  }

  /** Hand over one piece when the server wants it: so no more than one is ever kept. */
  async #pass(bytes: Uint8Array): Promise<void> {
    await this.#wanted.promise;
    // Nothing that lives as long as the upload may know of `bytes`.
    this.#wanted = Promise.withResolvers<void>();
    this.#wanted.promise.catch(() => {});
    if (this.#failure !== undefined) this.#wanted.reject(this.#failure);
    this.#hand((controller) => controller.enqueue(bytes));
  }

  /** A server that has answered already does not take what is left. */
  #hand(give: (controller: ReadableStreamDefaultController<Uint8Array>) => void): void {
    try {
      if (this.#controller !== undefined) give(this.#controller);
    } catch (error) {
      throw new MemberError("away", "the server takes no more", { cause: error });
    }
  }
}
