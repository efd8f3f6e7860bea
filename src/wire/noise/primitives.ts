/** What the handshake is made of, handed in by whoever has it. Keys and hashes have 32 bytes. */
export interface Primitives {
  /** BLAKE2s (RFC 7693) of the parts, one after another. */
  hash(...parts: readonly Uint8Array[]): Uint8Array;
  /** HMAC over BLAKE2s (RFC 2104). */
  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
  /** BLAKE2s with a key, 16 bytes. */
  mac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
  /** The public key of a private one (RFC 7748). */
  publicKey(privateKey: Uint8Array): Uint8Array;
  /** X25519; undefined when the other chose a key with which nothing would be secret. */
  agree(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined;
  /** ChaCha20-Poly1305 (RFC 8439) with a nonce of zeros: for keys that are used once. */
  seal(key: Uint8Array, text: Uint8Array, ad: Uint8Array): Uint8Array;
  open(key: Uint8Array, sealed: Uint8Array, ad: Uint8Array): Uint8Array | undefined;
  /** XChaCha20-Poly1305, with a nonce of 24 bytes. */
  sealX(key: Uint8Array, nonce: Uint8Array, text: Uint8Array, ad: Uint8Array): Uint8Array;
  openX(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
    ad: Uint8Array,
  ): Uint8Array | undefined;
}

/** A key pair of X25519. */
export interface Keys {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** The pair of a private key. */
export function keysOf(primitives: Primitives, privateKey: Uint8Array): Keys {
  return { privateKey, publicKey: primitives.publicKey(privateKey) };
}
