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
    seal(counter, { bytes }, at, length) {
      setCounter(nonce, counter);
      const cipher = chacha20poly1305(key.bytes, nonce);
      bytes.set(cipher.encrypt(bytes.slice(at, at + length)), at);
    },
    free: () => key.free(),
  };
}

function opener(given: Uint8Array): Opener {
  const key = new SecretKey(given);
  const nonce = new Uint8Array(12);
  return {
    open(counter, { bytes }, at, length, to, toAt) {
      setCounter(nonce, counter);
      const end = at + length + TAG;
      if (end > bytes.length) throw new RangeError(`${end} of ${bytes.length} bytes`);
      const cipher = chacha20poly1305(key.bytes, nonce);
      let plain: Uint8Array;
      try {
        plain = cipher.decrypt(bytes.slice(at, end));
      } catch {
        return false; // the tag is another
      }
      to.bytes.set(plain, toAt);
      return true;
    },
    free: () => key.free(),
  };
}
