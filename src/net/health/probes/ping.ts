import { errno } from "../../../sys/errno.ts";
import { block } from "../../../sys/memory.ts";
import { openPing, type PingSocket, sendPing } from "../../../sys/ping-socket.ts";
import { receive } from "../../../sys/socket.ts";
import { emitRequest, parseReply, TOKEN_SIZE } from "../../../wire/icmp/echo.ts";
import { type Reactor, READABLE } from "../../reactor.ts";
import type { Probe } from "../watch.ts";

/** Longest reply of ours with an IP header of every option. */
const DATAGRAM = 256;
/** Sent again after this share of the timeout: one lost packet is no lost server. */
const AGAIN_SHARE = 0.4;
/** Replies are read after so many requests, even within a turn: a full socket buffer drops them. */
const READ_EVERY = 32;

/** Echo requests of this process: one socket per family, opened for the first that needs it. */
export class Pings {
  readonly #reactor: Reactor;
  readonly #sockets = new Map<4 | 6, PingSocket>();
  readonly #waiting = new Map<string, () => void>();
  readonly #buffer = block(DATAGRAM);
  readonly #id = Math.floor(Math.random() * 0x10000);
  #sequence = 0;

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
  }

  /** Throws SysError (EPERM, EACCES) when this process may not ping. */
  probe(host: string, timeout: number): Probe {
    const family = host.includes(":") ? 6 : 4;
    const socket = this.#open(family);
    return async (deadline) => {
      const { promise, resolve } = Promise.withResolvers<string | undefined>();
      const token = crypto.getRandomValues(new Uint8Array(TOKEN_SIZE));
      const key = token.toHex();
      this.#waiting.set(key, () => resolve(undefined));
      deadline.addEventListener("abort", () => resolve("timeout"), { once: true });
      const again = setTimeout(() => this.#ask(socket, host, token), timeout * AGAIN_SHARE);
      try {
        return this.#ask(socket, host, token) ?? (await promise);
      } finally {
        clearTimeout(again);
        this.#waiting.delete(key);
      }
    };
  }

  /** Why it could not be sent. */
  #ask(socket: PingSocket, host: string, token: Uint8Array): string | undefined {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const request = emitRequest(socket.family, this.#id, this.#sequence, token);
    if (!sendPing(socket, host, request)) return `cannot send: ${errno()}`;
    if (this.#sequence % READ_EVERY === 0) this.#read(socket);
    return undefined;
  }

  #open(family: 4 | 6): PingSocket {
    const known = this.#sockets.get(family);
    if (known) return known;
    const socket = openPing(family);
    this.#sockets.set(family, socket);
    this.#reactor.add(socket.fd, READABLE, () => this.#read(socket));
    return socket;
  }

  #read({ fd, family, headed }: PingSocket): void {
    for (;;) {
      const n = receive(fd, this.#buffer.at, DATAGRAM);
      if (n < 0) return;
      const token = parseReply(this.#buffer.bytes.subarray(0, n), family, headed);
      if (token) this.#waiting.get(token.toHex())?.();
    }
  }
}
