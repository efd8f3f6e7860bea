/** Said in the log, in the status and in the documentation of every tunnel with `legacy: true`. */
export const LEGACY_WARNING: string =
  "3wdd's protocol protects nobody: its ciphers notice no change (no MAC), ECB shows which blocks are " +
  "equal, CTR hides every packet by the same bytes, one key is for all time, whoever hears a login " +
  "can repeat it and guess the token, and one forged packet ends the connection";
