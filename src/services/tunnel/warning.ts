import type { TunnelConfig } from "./config.ts";

/** Said in the log, in the status and in the documentation of every tunnel with `legacy: true`. */
export const LEGACY_WARNING: string =
  "3wdd's protocol protects nobody: its ciphers notice no change (no MAC), ECB shows which blocks are " +
  "equal, CTR hides every packet by the same bytes, one key is for all time, whoever hears a login " +
  "can repeat it and guess the token, and one forged packet ends the connection";

/** The same for those with `compress`. */
export const COMPRESS_WARNING: string =
  "what is compressed tells by its length what is in it to whoever can add to it (VORACLE): " +
  "`compress: off`, unless nobody else can write into what goes through this tunnel";

/** What whoever uses a tunnel with that config should know. Undefined: nothing. */
export function warningFor({
  legacy,
  compress,
}: Pick<TunnelConfig, "legacy" | "compress">): string | undefined {
  if (legacy) return LEGACY_WARNING;
  return compress === "off" ? undefined : COMPRESS_WARNING;
}
