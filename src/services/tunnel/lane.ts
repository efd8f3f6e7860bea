import type { AeadName, Opener, Sealer } from "../../net/aead/aead.ts";
import { aead } from "../../net/aead/choice.ts";
import { derive } from "../../wire/noise/derive.ts";
import type { Agreed } from "../../wire/noise/keypair.ts";
import type { Primitives } from "../../wire/noise/primitives.ts";
import type { Link } from "./link.ts";

/** What a handshake leads to: ciphers for both directions, and whose they are. */
export interface Lane {
  readonly link: Link;
  readonly cipher: AeadName;
  readonly sealer: Sealer;
  readonly opener: Opener;
}

/**
 * What one tern says of itself in the handshake, sealed:
 *
 *     0         1         2 …
 *     | version | ciphers | zeros
 *
 * `ciphers`: bit 0, AES-256-GCM is the faster one here. The rest is for later versions, which say more.
 */
const VERSION = 1;
const PREFERS_AES = 1;

export function emitOffer(length: number, preferred: AeadName): Uint8Array {
  const offer = new Uint8Array(length);
  offer[0] = VERSION;
  offer[1] = preferred === "aes-256-gcm" ? PREFERS_AES : 0;
  return offer;
}

/** AES where it is the faster one at both ends; a machine without AES instructions is spared it. */
export function cipherFor(own: Uint8Array, theirs: Uint8Array): AeadName {
  const both = (own[1] ?? 0) & (theirs[1] ?? 0) & PREFERS_AES;
  return both === 0 ? "chacha20-poly1305" : "aes-256-gcm";
}

/** WireGuard has one cipher, and takes the keys as they are; ours are for the cipher that they name. */
export function makeLane(
  link: Link,
  { send, receive, offer }: Agreed,
  own: Uint8Array | undefined,
  primitives: Primitives,
): Lane {
  const cipher = own === undefined ? "chacha20-poly1305" : cipherFor(own, offer);
  const made = aead(cipher);
  const keyFor = (key: Uint8Array): Uint8Array =>
    own === undefined ? key : derive(primitives, key, `tern tunnel v2 ${cipher}`);
  return {
    link,
    cipher,
    sealer: made.sealer(keyFor(send)),
    opener: made.opener(keyFor(receive)),
  };
}

export function closeLane({ sealer, opener }: Lane): void {
  sealer.free();
  opener.free();
}
