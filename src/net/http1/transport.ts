/**
 * The byte stream under one HTTP/1 session: a plain socket or a TLS one. Counts as in
 * sys/socket.ts: bytes taken (maybe fewer than offered), AGAIN when the peer is slow, GONE.
 */
export interface Transport {
  readonly secure: boolean;
  /** Send `bytes[from, to)`. `more`: other bytes follow at once, a short segment may wait for them. */
  write(bytes: Uint8Array, from: number, to: number, more: boolean): number;
  /** Most bytes one `sendFile` takes. Fewer than asked for means there was no room for more. */
  readonly fileStep: number;
  /** Send from an open file. 0 means the file ended early. */
  sendFile(file: number, offset: number, length: number): number;
  /** Whether to be told of incoming bytes, and of room for outgoing ones. */
  interest(reading: boolean, writing: boolean): void;
  /** Call the session's `writable` again soon: it stopped while there was still room. */
  again(): void;
  /** The peer's address; of the PROXY header when a trusted one came. */
  remote(): { readonly address: string; readonly port: number };
  /** No more bytes will follow; the peer may still send. */
  finish(): void;
  /** All is sent and read: end it. The session is not called again. */
  close(): void;
  /** End it with a reset. The session is not called again. */
  abort(): void;
}
