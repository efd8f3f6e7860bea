import { createCipheriv, createDecipheriv } from "node:crypto";

import { gcmAdditional } from "../../sys/gcm-records.ts";
import { type Aead, type Opener, type Sealer, TAG } from "./aead.ts";
import { setCounterHighFirst } from "./nonce.ts";
import { SecretKey } from "./secret-key.ts";

/** AES-256-GCM by the runtime: everywhere, at half the speed of libcrypto. */
export const nodeGcm: Aead = {
  name: "aes-256-gcm",
  by: "node:crypto",
  sealer,
  opener,
};

/** Bytes of the nonce in front of the text: the counter. */
const EXPLICIT = 8;
const ADDITIONAL = Buffer.from(gcmAdditional);

function sealer(given: Uint8Array): Sealer {
  const key = new SecretKey(given);
  const nonce = new Uint8Array(12);
  return {
    seal(counter, { bytes }, at, length) {
      setCounterHighFirst(nonce, counter);
      const cipher = createCipheriv("aes-256-gcm", key.bytes, nonce);
      cipher.setAAD(ADDITIONAL);
      bytes.set(nonce.subarray(-EXPLICIT), at - EXPLICIT);
      if (length > 0) bytes.set(cipher.update(bytes.subarray(at, at + length)), at);
      cipher.final();
      bytes.set(cipher.getAuthTag(), at + length);
    },
    free: () => key.free(),
  };
}

function opener(given: Uint8Array): Opener {
  const key = new SecretKey(given);
  const nonce = new Uint8Array(12);
  return {
    open(counter, { bytes }, at, length, to, toAt) {
      setCounterHighFirst(nonce, counter);
      const cipher = createDecipheriv("aes-256-gcm", key.bytes, nonce);
      const end = at + length;
      if (end + TAG > bytes.length) throw new RangeError(`${end + TAG} of ${bytes.length} bytes`);
      cipher.setAAD(ADDITIONAL);
      cipher.setAuthTag(bytes.subarray(end, end + TAG));
      if (length > 0) to.bytes.set(cipher.update(bytes.subarray(at, end)), toAt);
      try {
        cipher.final();
        return true;
      } catch {
        return false; // the tag is another
      }
    },
    free: () => key.free(),
  };
}
