import { type CipherContext, cipherContext } from "../../sys/libcrypto.ts";
import type { Aead, AeadName } from "./aead.ts";

/** A cipher by OpenSSL's libcrypto. Undefined when this machine has none that does it. */
export function libcryptoAead(name: AeadName): Aead | undefined {
  const trial = cipherContext(name, new Uint8Array(32), true);
  if (trial === undefined) return undefined;
  trial.free();
  const context = (key: Uint8Array, sealing: boolean): CipherContext => {
    const made = cipherContext(name, key, sealing);
    if (made === undefined) throw new Error(`libcrypto has no ${name} any more`);
    return made;
  };
  return {
    name,
    by: "libcrypto",
    sealer: (key) => context(key, true),
    opener: (key) => context(key, false),
  };
}
