/** The byte stream under one upstream connection: a plain socket or a TLS one. */
export interface Wire {
  /** Bytes taken, maybe fewer than offered; AGAIN or GONE, as in sys/socket.ts. The bytes are not kept. */
  write(bytes: Uint8Array, from: number, to: number): number;
  /** Tell of no more bytes until `resume`; what was read already is still told. */
  pause(): void;
  resume(): void;
  /** No more bytes will follow; the peer may still send. */
  finish(): void;
  /** End it. The listener is not called again. */
  close(): void;
  /** End it with a reset. The listener is not called again. */
  abort(): void;
}

/** Whose wire it is. */
export interface WireListener {
  /** Bytes from the peer, good until this returns. */
  feed(bytes: Uint8Array, from: number, to: number): void;
  /** The peer will send no more. */
  ended(): void;
  /** There is room for outgoing bytes again. */
  writable(): void;
  /** The connection broke. */
  broken(): void;
}
