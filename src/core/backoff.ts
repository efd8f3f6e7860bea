/** How long to wait before trying again, in milliseconds. */
export interface BackoffRules {
  /** After the first failure; it doubles with each one more. */
  readonly first: number;
  readonly most: number;
  /** Having worked for this long, the next failure is a first one again. */
  readonly calm: number;
}

/** The wait after so many failures in a row, counted from 1. */
export function backoff(failures: number, rules: BackoffRules): number {
  return Math.min(rules.first * 2 ** Math.max(0, failures - 1), rules.most);
}

/** Failures in a row, when something that failed `failures` times before failed after `lived` ms. */
export function failedAgain(failures: number, lived: number, rules: BackoffRules): number {
  return lived >= rules.calm ? 1 : failures + 1;
}
