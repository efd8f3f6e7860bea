/** What came to a socket and nobody knows whose it is. */
export interface Strangers {
  /** No datagram of ours, or for nobody. */
  unknown: number;
  /** Handshakes that were refused: who does not know us, or comes too often. */
  refused: number;
  /** Handshakes that were answered by a cookie. */
  cookies: number;
}
