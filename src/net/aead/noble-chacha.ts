import { chacha20poly1305 } from "@noble/ciphers/chacha.js";

import { type Aead, type Opener, type Sealer, TAG } from "./aead.ts";
import { setCounter } from "./nonce.ts";
import { SecretKey } from "./secret-key.ts";

/** ChaCha20-Poly1305 in JavaScript: everywhere, and slow (some 40 MB/s). */
export const nobleChacha: Aead = {
  name: "chacha20-poly1305",
  by: "noble",
  sealer,
  opener,
};

function sealer(given: Uint8Array): Sealer {
  const key = new SecretKey(given);
  const nonce = new Uint8Array(12);
  return {
    seal(counter, sealed, at, ad, head, from, fromAt, body) {
      setCounter(nonce, counter);
      const text = at + ad;
      const end = text + head + body;
      const { bytes } = sealed;
      // Side by side, to be sealed as one.
      bytes.set(from.bytes.subarray(fromAt, fromAt + body), text + head);
      const cipher = chacha20poly1305(key.bytes, nonce, bytes.subarray(at, text));
      bytes.set(cipher.encrypt(bytes.slice(text, end)), text);
    },
    free: () => key.free(),
  };
}

function opener(given: Uint8Array): Opener {
  const key = new SecretKey(given);
  const nonce = new Uint8Array(12);
  return {
    open(counter, sealed, at, ad, head, body, to, toAt) {
      setCounter(nonce, counter);
      const text = at + ad;
      const end = text + head + body + TAG;
      const { bytes } = sealed;
      if (end > bytes.length) throw new RangeError(`${end} of ${bytes.length} bytes`);
      const cipher = chacha20poly1305(key.bytes, nonce, bytes.slice(at, text));
      let plain: Uint8Array;
      try {
        plain = cipher.decrypt(bytes.slice(text, end));
      } catch {
        return false; // the tag is another
      }
      bytes.set(plain.subarray(0, head), text);
      to.bytes.set(plain.subarray(head), toAt);
      return true;
    },
    free: () => key.free(),
  };
}
