/** What a connection is made with, and what it says of itself. */
import type { Congestion } from "./congestion/congestion.ts";
import type { Handshake } from "./handshake.ts";

/**
 * - connecting: shaking hands; nothing can be sent yet.
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
  /** Size of the largest IP packet, bytes; a datagram is 28 less (48 over IPv6), its payload 16 less. Default 1500. */
  readonly mss?: number;
  /** Most packets that wait to be acknowledged, and to be read. Rounded up to a power of two. Default 8192. */
  readonly sendPackets?: number;
  readonly receivePackets?: number;
  /** Reports of loss stay so many bytes below a full datagram, for what goes around them. Default 0. */
  readonly reportReserve?: number;
  /** Default true: small `send`s are joined in one packet while it has not left. 3wdd's frames must not be. */
  readonly coalesce?: boolean;
  /**
   * What is sent while the path is mostly empty is sent once more, so that a lost packet need not wait for
   * its repair, on paths that lose some; and always repairs and reports of loss, which others wait for. Default false.
   */
  readonly twice?: boolean;
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
  /** Made by `UdtAccept`: what the client said. */
  readonly hello?: Handshake;
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
