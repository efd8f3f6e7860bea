import type { Socket } from "bun";

import type { Remote } from "../http1/plain-transport.ts";
import type { Front } from "./front.ts";
import type { Guest } from "./guest.ts";
import type { Relay } from "./relay.ts";

/** The HTTP/2 connection preface a client with prior knowledge begins with (RFC 9113, 3.4). */
export const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Does `bytes[from, to)` begin with the preface? */
export function hasPreface(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from < PREFACE.length) return false;
  for (let i = 0; i < PREFACE.length; i++) if (bytes[from + i] !== PREFACE[i]) return false;
  return true;
}

/** A client whose last bytes are out has this long to close. */
export const FAREWELL_MS = 2000;

/** A clear-text HTTP/2 connection, relayed to the inner server. `fd` belongs to the runtime from here on. */
export class PlainRelay implements Guest {
  readonly #front: Front;
  readonly #relay: Relay;
  #socket: Socket<unknown> | undefined;
  #leavesBy: number | undefined;
  #over = false;

  constructor(front: Front, fd: number, first: Uint8Array, remote: Remote) {
    this.#front = front;
    this.#relay = front.relay(first, remote, false, () => {
      this.#leavesBy = front.now + FAREWELL_MS;
    });
    Bun.connect({
      ...({ fd } as unknown as { unix: string }), // adopt a connected socket
      socket: {
        open: (socket) => {
          this.#socket = socket;
          if (this.#over) socket.terminate();
          else this.#relay.openOuter(socket);
        },
        data: (_, bytes) => this.#relay.outerData(bytes),
        drain: () => this.#relay.outerDrain(),
        close: () => this.broken(),
        error: () => this.broken(),
        connectError: () => this.broken(),
      },
    }).catch(() => this.broken());
  }

  get deadline(): number {
    return this.#leavesBy ?? this.#relay.deadline;
  }
  get idleSince(): number {
    return this.#relay.idleSince;
  }

  late(): void {
    if (this.#leavesBy === undefined && this.#relay.idle) this.#relay.close();
    else this.broken();
  }
  leaveIfIdle(): void {
    if (this.#relay.idle) this.#relay.close();
  }
  broken(): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket?.terminate();
    this.#relay.close();
    this.#front.left(this);
  }
}
