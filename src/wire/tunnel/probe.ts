import type { Memory } from "./memory.ts";

/**
 * A message of the tunnel itself: is the other end there, how far is it, what gets lost, and how
 * long may a datagram be. Big-endian, as the body of a plaintext of kind control:
 *
 *     0      1      2               4                               8
 *     | kind | 0    | length        | number                        | time, a double       |
 *     | sent                        | received                      | zeros …
 *     16                            20                              24
 *
 * `time` is the asker's, and comes back as it was; so does `length`, of the whole question, padded
 * to find out what the path carries. `sent` and `received` count the datagrams of whoever writes.
 */
export const PROBE = 24;

export const ASK = 1;
export const ANSWER = 2;

export interface Probe {
  kind: number;
  length: number;
  number: number;
  /** Milliseconds of the asker's clock. */
  time: number;
  sent: number;
  received: number;
}

/** Write `probe` to `at`, padded to `length`. */
export function emitProbe({ bytes, view }: Memory, at: number, probe: Probe, length: number): void {
  bytes.fill(0, at + PROBE, at + length);
  view.setUint8(at, probe.kind);
  view.setUint8(at + 1, 0);
  view.setUint16(at + 2, probe.length);
  view.setUint32(at + 4, probe.number);
  view.setFloat64(at + 8, probe.time);
  view.setUint32(at + 16, probe.sent);
  view.setUint32(at + 20, probe.received);
}

/** Read the `length` bytes at `at` into `probe`. False: it is none. */
export function parseProbe({ view }: Memory, at: number, length: number, probe: Probe): boolean {
  if (length < PROBE) return false;
  probe.kind = view.getUint8(at);
  probe.length = view.getUint16(at + 2);
  probe.number = view.getUint32(at + 4);
  probe.time = view.getFloat64(at + 8);
  probe.sent = view.getUint32(at + 16);
  probe.received = view.getUint32(at + 20);
  return probe.kind === ASK || probe.kind === ANSWER;
}
