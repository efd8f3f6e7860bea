/** Two that do not have the same of these do not understand one another, whatever their keys. */
export interface Protocol {
  /** Said first by both: the prologue of the handshake (Noise, 5.3). */
  readonly identifier: Uint8Array;
  /** What the keys of the two MACs begin with (WireGuard, 5.4.4 and 5.4.7). */
  readonly labelMac1: Uint8Array;
  readonly labelCookie: Uint8Array;
  /** Bytes that each says of itself besides, sealed, in the first message and in the second. */
  readonly offer: number;
  /** An initiation that nobody answers is sent again after so many ms; then after twice that, up to 5000. */
  readonly retry: number;
}

/** The Noise protocol of both (Noise, 8). */
export const NOISE_NAME: Uint8Array = ascii("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s");

/** WireGuard (whitepaper, 5.4). */
export const WIREGUARD: Protocol = {
  identifier: ascii("WireGuard v1 zx2c4 Jason@zx2c4.com"),
  labelMac1: ascii("mac1----"),
  labelCookie: ascii("cookie--"),
  offer: 0,
  retry: 5000,
};

/** Between two of us: the same handshake, which no WireGuard takes for its own, and room for an offer. */
export const TERN: Protocol = {
  identifier: ascii("tern tunnel v1"),
  labelMac1: ascii("tern mac"),
  labelCookie: ascii("tern cky"),
  offer: 16,
  retry: 1000,
};

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
