/** What one end may ask of the other, and what it answers. All of it is plain JSON. */
export type Calls = Readonly<Record<string, { ask: unknown; answer: unknown }>>;

/** How an end answers what it may be asked. */
export type Handlers<C extends Calls> = {
  readonly [K in keyof C]: (ask: C[K]["ask"]) => C[K]["answer"] | Promise<C[K]["answer"]>;
};

type Message =
  | { readonly call: number; readonly kind: string; readonly ask: unknown }
  | { readonly answer: number; readonly value?: unknown; readonly error?: string };

/**
 * Questions and answers between two processes, over anything that carries JSON messages in order.
 * `Out` is asked of the other end, `In` is answered here. An error crosses as its message.
 */
export class Channel<Out extends Calls, In extends Calls> {
  readonly #send: (message: unknown) => void;
  readonly #handlers: Handlers<In>;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #last = 0;
  #closed: Error | undefined;

  constructor(send: (message: unknown) => void, handlers: Handlers<In>) {
    this.#send = send;
    this.#handlers = handlers;
  }

  /** Rejects with the other end's error, or when the channel closes first. */
  async call<K extends keyof Out & string>(kind: K, ask: Out[K]["ask"]): Promise<Out[K]["answer"]> {
    if (this.#closed) throw this.#closed;
    const call = ++this.#last;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(call, waiting);
    this.#send({ call, kind, ask });
    return (await waiting.promise) as Out[K]["answer"]; // the other end is this same program
  }

  /** Hand in every message that arrives. Never throws. */
  receive(message: unknown): void {
    const it = message as Message; // only our own program writes on this channel
    if ("call" in it) void this.#answer(it.call, it.kind, it.ask);
    else {
      const waiting = this.#waiting.get(it.answer);
      this.#waiting.delete(it.answer);
      if (it.error === undefined) waiting?.resolve(it.value);
      else waiting?.reject(new Error(it.error));
    }
  }

  /** The other end is gone: whatever was asked fails with `why`. */
  close(why: Error): void {
    this.#closed = why;
    for (const waiting of this.#waiting.values()) waiting.reject(why);
    this.#waiting.clear();
  }

  async #answer(call: number, kind: string, ask: unknown): Promise<void> {
    let answer: Message;
    try {
      const handler = this.#handlers[kind];
      if (!handler) throw new Error(`nobody here answers ${JSON.stringify(kind)}`);
      answer = { answer: call, value: await handler(ask as In[string]["ask"]) };
    } catch (failed) {
      answer = { answer: call, error: failed instanceof Error ? failed.message : String(failed) };
    }
    if (!this.#closed) this.#send(answer);
  }
}
