import type { Congestion } from "./congestion/congestion.ts";
import { UdtConnection, type UdtSettings } from "./connection.ts";
import {
  Ask,
  emitHandshake,
  HANDSHAKE,
  type Handshake,
  parseHandshake,
  SocketType,
  VERSION,
  wireAddress,
} from "./handshake.ts";
import { Control, LEAST_MSS, word } from "./packet.ts";

const MINUTE = 60_000_000;

export type UdtAcceptOptions = UdtSettings & {
  /** A keyed hash of the peer (address and port, as the owner writes it) and of the minute; 32 bits. */
  readonly cookie: (peer: string, minute: number) => number;
  /** A new socket id: > 0, random, unused on this UDP socket. */
  readonly id: () => number;
  /** The congestion control of one connection. */
  readonly congestion: () => Congestion;
  /** Most connections at once; the next is refused. */
  readonly most: number;
};

/**
 * The listening end: datagrams for socket id 0. It remembers nothing of anybody who has not sent back the cookie
 * that went to his address.
 */
export class UdtAccept {
  readonly #options: UdtAcceptOptions;
  /** By peer and the peer's socket id: a client that has not heard our answer asks again. */
  readonly #connections = new Map<string, UdtConnection>();
  readonly #keys = new Map<UdtConnection, string>();
  #accepted: UdtConnection | undefined;
  /** Datagrams that were no handshake, or had a wrong cookie. */
  nonsense = 0;
  /** Handshakes that were answered by a cookie, and those that were refused. */
  cookies = 0;
  refused = 0;

  constructor(options: UdtAcceptOptions) {
    this.#options = options;
  }

  /** The connection that the last `receive` made, once; undefined: it made none. The answer to the peer is written. */
  take(): UdtConnection | undefined {
    const accepted = this.#accepted;
    this.#accepted = undefined;
    return accepted;
  }

  /**
   * A datagram for id 0 from `peer`, whose address is `address` (4 or 16 bytes). Writes an answer to `out[at..]`
   * and says its length; 0: none. An answer is never longer than the question.
   */
  receive(
    bytes: Uint8Array,
    from: number,
    to: number,
    peer: string,
    address: Uint8Array,
    now: number,
    out: Uint8Array,
    at: number,
  ): number {
    this.#accepted = undefined;
    const isHandshake = to - from >= HANDSHAKE && word(bytes, from) === HANDSHAKE_WORD;
    const hello = isHandshake ? parseHandshake(bytes, from, to) : undefined;
    if (hello === undefined || word(bytes, from + 12) !== 0) return this.#wrong();
    const minute = Math.floor(now / MINUTE);
    const { cookie } = this.#options;
    if (hello.ask === Ask.cookie) {
      this.cookies += 1;
      const offer = { ...hello, cookie: cookie(peer, minute), address: wireAddress(address) };
      return emitHandshake(offer, 0, hello.id, out, at);
    }
    if (hello.ask !== Ask.connect) return this.#wrong();
    const given = hello.cookie;
    const known = given === cookie(peer, minute) >>> 0 || given === cookie(peer, minute - 1) >>> 0;
    if (!known) return this.#wrong();
    const key = `${peer} ${hello.id}`;
    const old = this.#connections.get(key);
    if (old !== undefined) return old.answer(now, out, at);
    if (!this.#welcome(hello)) {
      this.refused += 1;
      return emitHandshake({ ...hello, ask: Ask.refused }, 0, hello.id, out, at);
    }
    const connection = this.#accept(hello, address, now);
    this.#connections.set(key, connection);
    this.#keys.set(connection, key);
    this.#accepted = connection;
    return connection.answer(now, out, at);
  }

  /** The connection is gone: its peer may connect anew, and counts no more. */
  forget(connection: UdtConnection): void {
    const key = this.#keys.get(connection);
    if (key === undefined) return;
    this.#keys.delete(connection);
    this.#connections.delete(key);
  }

  #welcome(hello: Handshake): boolean {
    const { kind, most } = this.#options;
    const speaks = hello.version === VERSION && hello.type === SocketType[kind];
    const sane = hello.id !== 0 && hello.mss >= LEAST_MSS && hello.window >= 2;
    return speaks && sane && hello.initial >>> 31 === 0 && this.#connections.size < most;
  }

  #accept(hello: Handshake, address: Uint8Array, now: number): UdtConnection {
    const { congestion, id, ...settings } = this.#options;
    return new UdtConnection({
      ...settings,
      role: "client",
      id: id(),
      initial: hello.initial,
      peerAddress: address,
      congestion: congestion(),
      now,
      hello,
    });
  }

  #wrong(): number {
    this.nonsense += 1;
    return 0;
  }
}

/** First word of a handshake. */
const HANDSHAKE_WORD = (0x8000_0000 | (Control.handshake << 16)) >>> 0;
