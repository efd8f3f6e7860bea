import type { Congestion } from "./congestion/congestion.ts";

/**
 * - connecting: shaking hands. `send` may be used already.
 * - open.
 * - closing: `close()` was called, what was sent is still being delivered.
 * - closed: ended as somebody wished; what arrived stays readable.
 * - broken: ended by silence, refusal or nonsense; what arrived stays readable.
 */
export type UdtState = "connecting" | "open" | "closing" | "closed" | "broken";

/** Why it ended. "" while it has not. */
export type UdtEnd =
  | ""
  | "closed here"
  | "closed by the peer"
  | "refused"
  | "no answer"
  | "peer is silent"
  | "peer speaks nonsense"
  | "peer had an error";

/** What both ends of a UDP socket agree on; `wire/udt/accept.ts` wants the same. */
export type UdtSettings = {
  /** stream: bytes, like TCP. message: messages, which may be late, unordered or dropped. */
  readonly kind: "stream" | "message";
  /** Size of the largest IP packet, bytes; a datagram is 28 less, its payload 44 less. Default 1500. */
  readonly mss?: number;
  /** Most packets that wait to be acknowledged, and to be read. Rounded up to a power of two. Default 8192. */
  readonly sendPackets?: number;
  readonly receivePackets?: number;
  /** Default true: small `send`s are joined in one packet while it has not left. 3wdd's frames must not be. */
  readonly coalesce?: boolean;
  /** How long `close()` goes on delivering, ms. Default 180 000, as libudt. */
  readonly lingerMs?: number;
};

export type UdtOptions = UdtSettings & {
  /** client: there is a listener. rendezvous: both ends do this, neither listens. */
  readonly role: "client" | "rendezvous";
  /** Our socket id: > 0, random, different from all others on the same UDP socket. */
  readonly id: number;
  /** First sequence number: 31 random bits. */
  readonly initial: number;
  /** Address of the peer, 4 or 16 bytes in network order. It is told what we see it as. */
  readonly peerAddress: Uint8Array;
  /** One instance for each connection: `new Bbr()`, `new FixedRate(…)`, `new Aimd()`. */
  readonly congestion: Congestion;
  /** µs, the clock of all later calls. */
  readonly now: number;
};

/** Counters since the beginning, and how it stands. A plain copy. */
export type UdtStats = {
  readonly state: UdtState;
  readonly congestion: string;
  /** µs. */
  readonly rtt: number;
  readonly rttVariance: number;
  readonly minRtt: number;
  /** When the peer was last heard, µs. */
  readonly heardAt: number;
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly retransmitted: number;
  readonly lost: number;
  readonly duplicates: number;
  /** Arrived, but beyond the buffer. */
  readonly overflowed: number;
  /** Dropped as wrong: not UDT, sequence numbers that cannot be. */
  readonly nonsense: number;
  readonly messagesDropped: number;
  readonly inFlight: number;
  /** Packets per second, as the congestion control paces. */
  readonly rate: number;
  readonly window: number;
  readonly peerWindow: number;
};

/** How a message may be sent. */
export type MessageOptions = {
  /** Not worth being repeated when older than this. Default: for ever. */
  readonly ttlMs?: number;
  /** Not to be read before all that was sent earlier. Default false. */
  readonly inOrder?: boolean;
};

/**
 * One UDT connection, without socket and clock: datagrams and times in, datagrams and a wake-up time out. Times
 * are µs of any monotonic clock, as numbers.
 *
 * Whoever drives it, after whatever it told it (`receive`, `send`, `read`, `close`, time passing):
 *
 *     while ((n = connection.poll(now, out, at)) > 0) at += n;    // datagrams of equal size come in a row
 *     wake at connection.wakeAt()
 */
export class UdtConnection {
  constructor(options: UdtOptions) {
    void options;
  }

  /** Our socket id, by which the owner of the UDP socket finds us (with the exact address of the peer). */
  get id(): number {
    return this.#todo();
  }
  get state(): UdtState {
    return this.#todo();
  }
  get end(): UdtEnd {
    return this.#todo();
  }
  /** Most bytes a datagram has: what `out` of `poll` must have room for. */
  get datagramSize(): number {
    return this.#todo();
  }

  /** A datagram of the peer: `bytes[from..to)`. Nothing is kept of `bytes`. Never throws. */
  receive(bytes: Uint8Array, from: number, to: number, now: number): void {
    this.#todo(bytes, from, to, now);
  }
  /** Writes the next datagram that is due at `out[at..]`, and says its length; 0: none is due. */
  poll(now: number, out: Uint8Array, at: number): number {
    return this.#todo(now, out, at);
  }
  /** When to poll next, even if nothing else happens; Infinity: never. It may be in the past. */
  wakeAt(): number {
    return this.#todo();
  }

  /** Bytes `send` would take. */
  get writable(): number {
    return this.#todo();
  }
  /** Stream: takes what there is room for of `bytes[from..to)`, and says how many bytes that is. */
  send(bytes: Uint8Array, from: number, to: number): number {
    return this.#todo(bytes, from, to);
  }
  /** Messages: false when there is no room for it now. Throws RangeError when there never will be. */
  sendMessage(bytes: Uint8Array, options: MessageOptions, now: number): boolean {
    return this.#todo(bytes, options, now);
  }
  /** Packets sent or to be sent, and not acknowledged yet: 0 when the peer has it all. */
  get unacknowledged(): number {
    return this.#todo();
  }

  /** Bytes that can be read; messages: the size of the next one, or -1 when there is none. */
  get readable(): number {
    return this.#todo();
  }
  /** Stream: copies up to `max` bytes to `out[at..]`. 0: nothing is there; see `state` whether more will come. */
  read(out: Uint8Array, at: number, max: number): number {
    return this.#todo(out, at, max);
  }
  /** Stream, without a copy: the bytes at hand are `peeked[peekedFrom .. peekedFrom + peek())` until `skip`. */
  peek(): number {
    return this.#todo();
  }
  get peeked(): Uint8Array {
    return this.#todo();
  }
  get peekedFrom(): number {
    return this.#todo();
  }
  /** Done with the first `count` bytes of what `peek` showed. */
  skip(count: number): void {
    this.#todo(count);
  }
  /** The next message to `out[at..]`: its length; -1: none is there. What is beyond `max` is lost, as in libudt. */
  readMessage(out: Uint8Array, at: number, max: number): number {
    return this.#todo(out, at, max);
  }

  /** Delivers what was sent (for `lingerMs` at most), then tells the peer. */
  close(now: number): void {
    this.#todo(now);
  }
  /** Tells the peer at once, with no care for what was not delivered. One `poll` more gives the datagram. */
  abort(now: number): void {
    this.#todo(now);
  }

  get stats(): UdtStats {
    return this.#todo();
  }

  #todo(...args: unknown[]): never {
    throw new Error(`not there yet ${args.length}`);
  }
}
