import type { Hashes } from "../../../wire/s3/signature.ts";

/** The hashes that signatures are made of. */
export const hashes: Hashes = {
  sha256: (data) => new Bun.CryptoHasher("sha256").update(data).digest("hex"),
  hmac: (key, text) => new Bun.CryptoHasher("sha256", key).update(text).digest(),
};
