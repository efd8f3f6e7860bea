import type { Keys, Primitives } from "./primitives.ts";
import { Transcript } from "./transcript.ts";

/**
 * Noise_IKpsk2 (Noise, 7.5 and 9): the initiator knows the responder's key and tells its own, sealed.
 *
 *     <- s
 *     ...
 *     -> e, es, s, ss      [e 32][s 32+16][payload +16]
 *     <- e, ee, se, psk    [e 32][payload +16]
 *
 * Functions that read give undefined for whatever is wrong.
 */

const KEY = 32;
const TAG = 16;

/** Bytes around the payload of the first message, and of the second. */
export const FIRST_OVERHEAD: number = KEY + KEY + TAG + TAG;
export const SECOND_OVERHEAD: number = KEY + TAG;

/** What an initiator keeps until the answer. */
export interface Begun {
  readonly transcript: Transcript;
  readonly ephemeral: Keys;
}

/** The first message. `staticStatic`: what the two long-lived keys agree upon. */
export function writeFirst(
  primitives: Primitives,
  prologue: Uint8Array,
  own: Keys,
  peer: { readonly publicKey: Uint8Array; readonly staticStatic: Uint8Array },
  ephemeral: Keys,
  payload: Uint8Array,
): (Begun & { readonly message: Uint8Array }) | undefined {
  const transcript = new Transcript(primitives, prologue);
  transcript.mixHash(peer.publicKey);
  transcript.mixHash(ephemeral.publicKey);
  transcript.mixKey(ephemeral.publicKey);
  const es = primitives.agree(ephemeral.privateKey, peer.publicKey);
  if (es === undefined) return undefined;
  const sealedKey = transcript.seal(transcript.mixKey(es), own.publicKey);
  const sealed = transcript.seal(transcript.mixKey(peer.staticStatic), payload);
  return { transcript, ephemeral, message: join(ephemeral.publicKey, sealedKey, sealed) };
}

/** What a responder knows after the first message. */
export interface First<T> {
  readonly transcript: Transcript;
  /** Whoever `find` found. */
  readonly peer: T;
  readonly publicKey: Uint8Array;
  readonly ephemeral: Uint8Array;
  readonly payload: Uint8Array;
}

/** Read the first message. `find` says who has that key; for a stranger nothing more is done. */
export function readFirst<T extends { readonly staticStatic: Uint8Array }>(
  primitives: Primitives,
  prologue: Uint8Array,
  own: Keys,
  message: Uint8Array,
  find: (publicKey: Uint8Array) => T | undefined,
): First<T> | undefined {
  if (message.length < FIRST_OVERHEAD) return undefined;
  const ephemeral = message.slice(0, KEY);
  const transcript = new Transcript(primitives, prologue);
  transcript.mixHash(own.publicKey);
  transcript.mixHash(ephemeral);
  transcript.mixKey(ephemeral);
  const es = primitives.agree(own.privateKey, ephemeral);
  if (es === undefined) return undefined;
  const payloadAt = KEY + KEY + TAG;
  const publicKey = transcript.open(transcript.mixKey(es), message.subarray(KEY, payloadAt));
  const peer = publicKey && find(publicKey);
  if (publicKey === undefined || peer === undefined) return undefined;
  const key = transcript.mixKey(peer.staticStatic);
  const payload = transcript.open(key, message.subarray(payloadAt));
  return payload && { transcript, peer, publicKey, ephemeral, payload };
}

/** The second message; then `transcript.split()`. */
export function writeSecond(
  primitives: Primitives,
  { transcript, publicKey, ephemeral: theirs }: Omit<First<unknown>, "peer" | "payload">,
  ephemeral: Keys,
  psk: Uint8Array,
  payload: Uint8Array,
): Uint8Array | undefined {
  transcript.mixHash(ephemeral.publicKey);
  transcript.mixKey(ephemeral.publicKey);
  const ee = primitives.agree(ephemeral.privateKey, theirs);
  const se = primitives.agree(ephemeral.privateKey, publicKey);
  if (ee === undefined || se === undefined) return undefined;
  transcript.mixKey(ee);
  transcript.mixKey(se);
  return join(ephemeral.publicKey, transcript.seal(transcript.mixKeyAndHash(psk), payload));
}

/** Read the second message. `begun` stays as it was, for the right one may still come. */
export function readSecond(
  primitives: Primitives,
  own: Keys,
  begun: Begun,
  psk: Uint8Array,
  message: Uint8Array,
): { readonly transcript: Transcript; readonly payload: Uint8Array } | undefined {
  if (message.length < SECOND_OVERHEAD) return undefined;
  const theirs = message.slice(0, KEY);
  const transcript = begun.transcript.copy();
  transcript.mixHash(theirs);
  transcript.mixKey(theirs);
  const ee = primitives.agree(begun.ephemeral.privateKey, theirs);
  const se = primitives.agree(own.privateKey, theirs);
  if (ee === undefined || se === undefined) return undefined;
  transcript.mixKey(ee);
  transcript.mixKey(se);
  const payload = transcript.open(transcript.mixKeyAndHash(psk), message.subarray(KEY));
  return payload && { transcript, payload };
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
