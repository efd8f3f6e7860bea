import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from "node:crypto";

import { chacha20poly1305, xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { blake2s } from "@noble/hashes/blake2.js";
import { hmac } from "@noble/hashes/hmac.js";

import type { Primitives } from "../../wire/noise/primitives.ts";

/** A key of X25519 as the runtime takes it is its 32 bytes behind one of these (RFC 8410). */
const PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");
const SPKI = Buffer.from("302a300506032b656e032100", "hex");
const NONCE = new Uint8Array(12);

/** Keys that were used before, so that they are made ready once. */
const privateKeys = new WeakMap<Uint8Array, KeyObject>();

/** For handshakes: what there is of it in JavaScript, and X25519 by the runtime. */
export const noisePrimitives: Primitives = {
  hash: (...parts) => blake2s(one(parts)),
  hmac: (key, ...parts) => hmac(blake2s, key, one(parts)),
  mac: (key, ...parts) => blake2s(one(parts), { key, dkLen: 16 }),

  publicKey(privateKey) {
    const spki = createPublicKey(keyObject(privateKey)).export({ format: "der", type: "spki" });
    return new Uint8Array(spki.subarray(SPKI.length));
  },
  agree(privateKey, publicKey) {
    try {
      return new Uint8Array(
        diffieHellman({
          privateKey: keyObject(privateKey),
          publicKey: createPublicKey({
            key: Buffer.concat([SPKI, publicKey]),
            format: "der",
            type: "spki",
          }),
        }),
      );
    } catch {
      return undefined; // a point of small order (RFC 7748, 6.1)
    }
  },

  seal: (key, text, ad) => chacha20poly1305(key, NONCE, ad).encrypt(text),
  open: (key, sealed, ad) => opened(() => chacha20poly1305(key, NONCE, ad).decrypt(sealed)),
  sealX: (key, nonce, text, ad) => xchacha20poly1305(key, nonce, ad).encrypt(text),
  openX: (key, nonce, sealed, ad) =>
    opened(() => xchacha20poly1305(key, nonce, ad).decrypt(sealed)),
};

function keyObject(privateKey: Uint8Array): KeyObject {
  let made = privateKeys.get(privateKey);
  if (made === undefined) {
    const key = Buffer.concat([PKCS8, privateKey]);
    made = createPrivateKey({ key, format: "der", type: "pkcs8" });
    privateKeys.set(privateKey, made);
  }
  return made;
}

function opened(open: () => Uint8Array): Uint8Array | undefined {
  try {
    return open();
  } catch {
    return undefined; // the tag is another
  }
}

function one(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
}
