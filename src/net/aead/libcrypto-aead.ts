import { gcmRecords } from "../../sys/gcm-records.ts";
import { chachaContext } from "../../sys/libcrypto.ts";
import type { Aead, AeadName } from "./aead.ts";

const MAKE = { "aes-256-gcm": gcmRecords, "chacha20-poly1305": chachaContext };

/** A cipher by OpenSSL's libcrypto. Undefined when this machine has none that does it. */
export function libcryptoAead(name: AeadName): Aead | undefined {
  const make = MAKE[name];
  const trial = make(new Uint8Array(32), true);
  if (trial === undefined) return undefined;
  trial.free();
  const context = (key: Uint8Array, sealing: boolean): NonNullable<ReturnType<typeof make>> => {
    const made = make(key, sealing);
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
