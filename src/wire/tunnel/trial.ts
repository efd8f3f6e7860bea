import type { Memory } from "./memory.ts";

/**
 * Messages of a trial: how much goes through a tunnel. Big-endian, as the body of a plaintext of kind
 * control, beside the questions of probe.ts:
 *
 *     0      1      2               4               8               12
 *     | kind | last | 0             | run           | number        | ms            |
 *     | time, a double              | rate, a double              | lost, a double  | zeros …
 *     16                            24                            32                40
 *
 * - load: the `number`-th, from 1 on, of a run that is to last `ms`; padded to the length that is tried.
 *   `time` is the sender's.
 * - tally: `number` loads have come, the latest sent at `time`. What `ms` holds is the highest number that
 *   came. In the second half of the run they came at `rate` bytes per second, and the part `lost` did not.
 *   `last`: the answer to an end.
 * - please: whoever hears it sends loads for `ms`, as long as this message is, and not for longer than
 *   they are told to have come.
 * - end: `number` loads have been sent; their round trips took `rate` ms, or are not known: 0.
 */
export const TRIAL = 40;

export const TRIAL_KIND = { load: 3, tally: 4, please: 5, end: 6 } as const;

/** A message as it is read and written, again and again. */
export interface TrialMessage {
  kind: number;
  last: boolean;
  run: number;
  number: number;
  ms: number;
  time: number;
  rate: number;
  lost: number;
}

export function trialMessage(): TrialMessage {
  return { kind: 0, last: false, run: 0, number: 0, ms: 0, time: 0, rate: 0, lost: 0 };
}

/** Write `message` to `at`, padded to `length`. */
export function emitTrial(
  { bytes, view }: Memory,
  at: number,
  message: TrialMessage,
  length: number,
): void {
  bytes.fill(0, at + TRIAL, at + length);
  view.setUint8(at, message.kind);
  view.setUint8(at + 1, Number(message.last));
  view.setUint16(at + 2, 0);
  view.setUint32(at + 4, message.run);
  view.setUint32(at + 8, message.number);
  view.setUint32(at + 12, message.ms);
  view.setFloat64(at + 16, message.time);
  view.setFloat64(at + 24, message.rate);
  view.setFloat64(at + 32, message.lost);
}

/** Read the `length` bytes at `at` into `message`. False: it is none. */
export function parseTrial(
  { view }: Memory,
  at: number,
  length: number,
  message: TrialMessage,
): boolean {
  if (length < TRIAL) return false;
  const kind = view.getUint8(at);
  if (kind < TRIAL_KIND.load || kind > TRIAL_KIND.end) return false;
  message.kind = kind;
  message.last = view.getUint8(at + 1) === 1;
  message.run = view.getUint32(at + 4);
  message.number = view.getUint32(at + 8);
  message.ms = view.getUint32(at + 12);
  message.time = view.getFloat64(at + 16);
  message.rate = view.getFloat64(at + 24);
  message.lost = view.getFloat64(at + 32);
  return true;
}
