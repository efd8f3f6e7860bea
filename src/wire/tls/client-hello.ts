/**
 * Who a TLS client asks for: server name and protocols out of its ClientHello, before any
 * handshake (RFC 8446, 4.1.2; RFC 6066, 3; RFC 7301, 3.1).
 *
 *     record    22  3,x  length(2)  fragment
 *     message    1  length(3)  version(2) random(32) session<1> suites<2> compression<1> extensions<2>
 */

export interface ClientHello {
  /** Lower case, without trailing dot; undefined when the client names none. */
  readonly serverName: string | undefined;
  /** In the client's order; "" never. Bytes become characters one to one. */
  readonly alpn: readonly string[];
}

/**
 * Bytes of all its records: so many in a buffer, and the answer is never "incomplete". What real
 * clients send, post-quantum shares included, is below 4 KB.
 */
export const MAX_HELLO = 16 * 1024;

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const RECORD_HEAD = 5;
const MESSAGE_HEAD = 4;
const SERVER_NAME = 0;
const HOST_NAME = 0;
const ALPN = 16;
const MAX_NAME = 255;
const NAME = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?$/;

/** Read a ClientHello, in one record or several. Undefined: these bytes are not one. */
export function parseClientHello(bytes: Uint8Array): ClientHello | "incomplete" | undefined {
  const message = reassemble(bytes);
  return message instanceof Uint8Array ? readHello(new Cursor(message)) : message;
}

/** The handshake message's body, joined over records (RFC 8446, 5.1). */
function reassemble(bytes: Uint8Array): Uint8Array | "incomplete" | undefined {
  const message = new Uint8Array(Math.min(bytes.length, MAX_HELLO));
  let have = 0;
  for (let at = 0; ;) {
    const left = bytes.length - at;
    if (left > 0 && bytes[at] !== HANDSHAKE) return undefined;
    if (left > 1 && bytes[at + 1] !== 3) return undefined;
    if (left < RECORD_HEAD) return at + RECORD_HEAD > MAX_HELLO ? undefined : "incomplete";
    const length = uint16(bytes, at + 3);
    at += RECORD_HEAD;
    // RFC 8446, 5.1: a fragment of a handshake message is never empty.
    if (length === 0 || at + length > MAX_HELLO) return undefined;
    const fragment = bytes.subarray(at, at + length);
    message.set(fragment, have);
    have += fragment.length;
    at += length;

    if (have > 0 && message[0] !== CLIENT_HELLO) return undefined;
    const size = have < MESSAGE_HEAD ? MESSAGE_HEAD : MESSAGE_HEAD + uint24(message, 1);
    if (size > MAX_HELLO - RECORD_HEAD) return undefined;
    if (at > bytes.length) return "incomplete";
    if (have < size) continue;
    // Nothing may follow it in its record, since the server has to answer first.
    return have === size ? message.subarray(MESSAGE_HEAD, size) : undefined;
  }
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function uint24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 16) | uint16(bytes, at + 1);
}

function readHello(hello: Cursor): ClientHello | undefined {
  hello.skip(2 + 32);
  const session = hello.vector(1);
  const suites = hello.vector(2);
  const compression = hello.vector(1);
  if (session.left > 32 || suites.left < 2 || suites.left % 2 === 1 || compression.left < 1)
    return undefined;
  let serverName: string | undefined;
  let alpn: string[] = [];
  if (hello.left > 0) {
    const extensions = hello.vector(2);
    const seen = new Set<number>();
    while (extensions.left > 0) {
      const type = extensions.uint(2);
      const body = extensions.vector(2);
      if (extensions.broken || seen.has(type)) return undefined; // 4.2: no type twice
      seen.add(type);
      if (type === SERVER_NAME) {
        serverName = readServerName(body);
        if (serverName === undefined) return undefined;
      } else if (type === ALPN) {
        const names = readAlpn(body);
        if (names === undefined) return undefined;
        alpn = names;
      }
    }
  }
  return hello.broken || hello.left > 0 ? undefined : { serverName, alpn };
}

/** A list of one name in practice; RFC 6066 allows one of each type and has one type. */
function readServerName(body: Cursor): string | undefined {
  const list = body.vector(2);
  const type = list.uint(1);
  const name = list.vector(2);
  if (body.broken || list.broken || body.left > 0 || list.left > 0) return undefined;
  if (type !== HOST_NAME || name.left > MAX_NAME) return undefined;
  const text = name.text();
  if (!NAME.test(text)) return undefined;
  return (text.endsWith(".") ? text.slice(0, -1) : text).toLowerCase();
}

function readAlpn(body: Cursor): string[] | undefined {
  const list = body.vector(2);
  const names: string[] = [];
  while (list.left > 0) names.push(list.vector(1).text());
  if (body.broken || list.broken || body.left > 0) return undefined;
  return names.length === 0 || names.includes("") ? undefined : names;
}

/** Reads forward and never beyond the end: a short read sets `broken` and gives zeros. */
class Cursor {
  broken = false;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  skip(count: number): void {
    this.#take(count);
  }

  uint(width: 1 | 2): number {
    let n = 0;
    for (const byte of this.#take(width)) n = (n << 8) | byte;
    return n;
  }

  /** What a length of `width` bytes announces. */
  vector(width: 1 | 2): Cursor {
    return new Cursor(this.#take(this.uint(width)));
  }

  text(): string {
    return String.fromCharCode(...this.#take(this.left));
  }

  #take(count: number): Uint8Array {
    if (count > this.left) {
      this.broken = true;
      this.#at = this.#bytes.length;
      return new Uint8Array();
    }
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }
}
