import type { ReplayWindow } from "./replay-window.ts";

/** Keys of one handshake. `K` is what its owner made of them: ciphers. */
export interface Keypair<K> {
  /** The index in datagrams to us, and in those to the peer. */
  readonly localIndex: number;
  readonly remoteIndex: number;
  /** Did we begin? Then it is for us to begin the next. */
  readonly isInitiator: boolean;
  /** When, in ms. */
  readonly born: number;
  readonly keys: K;
  /** Counter of the next datagram; whoever sends adds one. */
  counter: number;
  /** Counters of datagrams that came. */
  readonly window: ReplayWindow;
}

/** What a handshake comes to. Keys of 32 bytes, of which the receiver is to keep copies. */
export interface Agreed {
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
  readonly isInitiator: boolean;
  /** What the peer said of itself. */
  readonly offer: Uint8Array;
}
