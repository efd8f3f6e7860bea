import type { Socket, TLSOptions } from "bun";

/** Whoever does not take our last bytes within so many seconds is given up. */
const FAREWELL_S = 10;

/** What a TLS connection tells its owner. After `closed` it tells nothing more. */
export interface SecureEvents {
  /**
   * The handshake is over. Not `ok`: it failed, or the peer's certificate was asked for and is not
   * good; `why` says it. The owner closes.
   */
  shaken(socket: Socket<unknown>, ok: boolean, why: Error | undefined): void;
  /** Decrypted bytes. They are the receiver's. */
  data(bytes: Uint8Array): void;
  /** There is room again after a `write` that took less than it was given. */
  drain(): void;
  /** The peer will say no more (close_notify or FIN). */
  end(): void;
  /** It is over: once. With an error when it was broken (ECONNRESET, a record that is none). */
  closed(error: Error | undefined): void;
}

export interface AdoptOptions {
  /** Which side of the handshake is ours. */
  readonly side: "server" | "client";
  readonly tls: TLSOptions;
  /** Go on sending after the peer's end; without, the end of one direction ends both. */
  readonly halfOpen?: boolean;
}

/**
 * TLS, by the runtime, over a connected socket that was ours: `fd` belongs to the runtime from
 * here on, and must be out of the reactor. Nothing may have been read from it that is TLS.
 */
export class Adopted {
  readonly #events: SecureEvents;
  #socket: Socket<unknown> | undefined;
  #over = false;

  constructor(fd: number, { side, tls, halfOpen = false }: AdoptOptions, events: SecureEvents) {
    this.#events = events;
    const closed = (_: Socket<unknown>, error?: Error): void => this.#closed(error);
    Bun.connect({
      // The types do not know it, the runtime does: adopt a connected socket.
      ...({ fd } as unknown as { unix: string }),
      allowHalfOpen: halfOpen,
      socket: {
        open: (raw) => {
          if (this.#over) {
            raw.terminate();
            return;
          }
          const options = {
            tls,
            isServer: side === "server",
            allowHalfOpen: halfOpen,
            socket: {
              handshake: (socket: Socket<unknown>, ok: boolean, why: Error | null) => {
                this.#socket = socket;
                if (!this.#over) events.shaken(socket, ok, why ?? undefined);
              },
              data: (_: Socket<unknown>, bytes: Uint8Array) => {
                if (!this.#over) events.data(bytes);
              },
              drain: () => {
                if (!this.#over) events.drain();
              },
              end: () => {
                if (!this.#over) events.end();
              },
              timeout: (socket: Socket<unknown>) => socket.terminate(),
              close: closed,
              error: closed,
            },
          };
          this.#socket = raw.upgradeTLS(options)[1];
        },
        data() {},
        close: closed,
        error: closed,
        connectError: closed,
      },
    }).catch((error: Error) => this.#closed(error));
  }

  /** The TLS socket, once there is one. */
  get socket(): Socket<unknown> | undefined {
    return this.#socket;
  }

  /** Close at once; nothing more is told. */
  abort(): void {
    this.#over = true;
    this.#socket?.terminate();
  }

  /** Close when all that was written is out (close_notify, then FIN); nothing more is told. */
  close(): void {
    this.#over = true;
    this.#socket?.timeout(FAREWELL_S);
    this.#socket?.end();
  }

  #closed(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#events.closed(error);
  }
}
