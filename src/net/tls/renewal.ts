const MINUTE = 60_000;
const FIRST_RETRY_MS = MINUTE;
const LAST_RETRY_MS = 6 * 60 * MINUTE; // a few tries a day stay below every CA's limits

/** Where in a certificate's life it is replaced: two thirds, as CAs ask for. */
const RENEW_AT = 2 / 3;
/** Up to this much of its life earlier, so that many appliances do not ask at once. */
const SPREAD = 1 / 20;

/** When to renew, in milliseconds since 1970. `dice` is from [0, 1). */
export function renewalTime(life: { notBefore: number; notAfter: number }, dice: number): number {
  return life.notBefore + (life.notAfter - life.notBefore) * (RENEW_AT - SPREAD * dice);
}

/** How long to wait after so many failures in a row: 1, 3, 9, 27 minutes, up to 6 hours. */
export function retryDelay(failures: number, dice: number): number {
  return Math.min(FIRST_RETRY_MS * 3 ** (failures - 1), LAST_RETRY_MS) * (0.75 + dice / 2);
}
