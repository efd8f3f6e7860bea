/**
 * What name servers tell of each question and answer: dnstap, messages of Protocol Buffers
 * (dnstap.proto) in frames (frame-streams.ts). Written by hand: it is fourteen fields.
 */

/** Of `dnstap.Message.Type`. */
export const TAP = { AUTH_QUERY: 1, AUTH_RESPONSE: 2 } as const;
export type TapType = (typeof TAP)[keyof typeof TAP];

/** `dnstap.SocketProtocol`. */
const PROTOCOL = { udp: 1, tcp: 2, tls: 3, https: 4 } as const;

/** A question that came, or an answer that went. */
export interface TapEvent {
  readonly type: TapType;
  readonly transport: keyof typeof PROTOCOL;
  /** The client: 4 bytes or 16, and its port. */
  readonly client: Uint8Array;
  readonly port: number;
  /** Milliseconds since 1970, of the question. */
  readonly wall: number;
  /** The message that came or went. */
  readonly message: Uint8Array;
}

/** Bytes of a frame besides identity and message: lengths, tags, addresses, times. */
const AROUND = 128;
/** What there is room for at first; it doubles. */
const FIRST_ROOM = 16 * 1024;

/** Collects frames, one behind the other, until somebody takes them. */
export class TapFrames {
  readonly #identity: Uint8Array;
  #out = new Uint8Array(FIRST_ROOM);
  #inner = new Uint8Array(FIRST_ROOM);
  #at = 0;
  #count = 0;

  /** `identity`: which server it is that tells; empty says nothing. */
  constructor(identity: string) {
    this.#identity = new TextEncoder().encode(identity);
  }

  /** Bytes that have been collected, and frames. */
  get length(): number {
    return this.#at;
  }
  get count(): number {
    return this.#count;
  }

  add(event: TapEvent): void {
    const room = AROUND + event.message.length;
    if (this.#inner.length < room) this.#inner = new Uint8Array(2 * room);
    const inner = this.#inner;
    const length = putMessage(event, inner);
    const end = this.#at + room + this.#identity.length;
    if (end > this.#out.length) {
      const grown = new Uint8Array(2 * end);
      grown.set(this.#out.subarray(0, this.#at));
      this.#out = grown;
    }
    const out = this.#out;
    const start = this.#at + 4;
    let at = start;
    if (this.#identity.length > 0) at = putBytes(out, at, 1, this.#identity);
    at = putBytes(out, at, 14, inner.subarray(0, length));
    at = putNumber(out, at, 15, 1); // dnstap.Dnstap.Type.MESSAGE
    put32(out, this.#at, at - start, false);
    this.#at = at;
    this.#count++;
  }

  /** All of them, and none are left. A copy. */
  take(): Uint8Array {
    const taken = this.#out.slice(0, this.#at);
    this.#at = this.#count = 0;
    return taken;
  }
}

/** `dnstap.Message`, at the beginning of `out`; its length. */
function putMessage({ type, transport, client, port, wall, message }: TapEvent, out: Uint8Array) {
  const seconds = Math.floor(wall / 1000);
  const nanoseconds = Math.floor((wall - seconds * 1000) * 1e6);
  const query = type === TAP.AUTH_QUERY;
  let at = putNumber(out, 0, 1, type);
  at = putNumber(out, at, 2, client.length === 4 ? 1 : 2); // INET, INET6
  at = putNumber(out, at, 3, PROTOCOL[transport]);
  at = putBytes(out, at, 4, client);
  at = putNumber(out, at, 6, port);
  // The time of the question, then the question; the same of the answer.
  at = putNumber(out, at, 8, seconds);
  at = putFixed(out, at, 9, nanoseconds);
  if (query) return putBytes(out, at, 10, message);
  at = putNumber(out, at, 12, seconds);
  at = putFixed(out, at, 13, nanoseconds);
  return putBytes(out, at, 14, message);
}

/** Wire types of Protocol Buffers. */
const VARINT = 0;
const BYTES = 2;
const FIXED_32 = 5;

function putNumber(out: Uint8Array, at: number, field: number, value: number): number {
  out[at] = (field << 3) | VARINT; // fields up to 15
  return putVarint(out, at + 1, value);
}

function putFixed(out: Uint8Array, at: number, field: number, value: number): number {
  out[at] = (field << 3) | FIXED_32;
  put32(out, at + 1, value, true);
  return at + 5;
}

function putBytes(out: Uint8Array, at: number, field: number, bytes: Uint8Array): number {
  out[at] = (field << 3) | BYTES;
  const from = putVarint(out, at + 1, bytes.length);
  out.set(bytes, from);
  return from + bytes.length;
}

/** Seven bits in a byte, the lowest first. `value` is whole and below 2 ** 53. */
function putVarint(out: Uint8Array, at: number, value: number): number {
  let end = at;
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      out[end] = rest;
      return end + 1;
    }
    out[end++] = (rest % 128) | 128;
  }
}

function put32(out: Uint8Array, at: number, value: number, little: boolean): void {
  for (let i = 0; i < 4; i++) out[at + i] = value >>> (little ? 8 * i : 24 - 8 * i);
}
