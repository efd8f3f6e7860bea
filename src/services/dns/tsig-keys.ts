import { type TsigKey, tsigKey } from "../../wire/dns/tsig.ts";
import type { NsConfig } from "./config.ts";

/** The keys that a config names, each with its secret. Throws Error for a secret that is no base64. */
export function tsigKeysOf({ keys }: NsConfig): TsigKey[] {
  return Object.entries(keys).map(([name, { algorithm, secret }]) => {
    const text = secret.reveal();
    const bytes = new Uint8Array(Buffer.from(text, "base64"));
    const key = tsigKey(name.replace(/\.?$/, "."), algorithm, bytes);
    if (key === undefined || bytes.length === 0 || !/^[\w+/]+=*$/.test(text))
      throw new Error(`the secret of the key ${name} is no base64`);
    return key;
  });
}
