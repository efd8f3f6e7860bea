/** HTTP/2 (RFC 9113) as a stranger may write it: frames by hand, right or wrong. */
import { type Dial, dial, latin1, type Wire } from "./wire.ts";

const TYPES = [
  "DATA",
  "HEADERS",
  "PRIORITY",
  "RST_STREAM",
  "SETTINGS",
  "PUSH_PROMISE",
  "PING",
  "GOAWAY",
  "WINDOW_UPDATE",
  "CONTINUATION",
] as const;
type Type = (typeof TYPES)[number];

export const END_STREAM = 1;
export const END_HEADERS = 4;
const ACK = 1;
const HEAD = 9;

/** RFC 9113, 4.1. */
export function frame(type: Type, flags: number, stream: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEAD + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length * 256 + TYPES.indexOf(type));
  view.setUint8(4, flags);
  view.setUint32(5, stream);
  bytes.set(payload, HEAD);
  return bytes;
}

export const uint32 = (n: number): Uint8Array => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n);

/** Fields as HPACK literals without indexing and without Huffman (RFC 7541, 6.2.2): any byte can be said. */
export function literals(fields: readonly (readonly [string, string])[]): Uint8Array {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Uint8Array.of(0), text(name), text(value)]),
  );
}

/** RFC 7541, 5.1 and 5.2. */
function text(said: string): Uint8Array {
  const bytes = latin1(said);
  const length: number[] = [Math.min(bytes.length, 127)];
  if (length[0] === 127) {
    let rest = bytes.length - 127;
    for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
    length.push(rest);
  }
  return Buffer.concat([Uint8Array.from(length), bytes]);
}

/** A client's connection: the preface is said, SETTINGS and PING are answered. */
export class H2 implements Disposable {
  /** Per stream: the status, and "reset" with an error code; stream 0: "goaway" with one. */
  readonly ends = new Map<number, string>();
  readonly data = new Map<number, string>();
  readonly #wire: Wire;
  readonly #window: boolean;
  #read = 0;

  private constructor(wire: Wire, window: boolean) {
    this.#wire = wire;
    this.#window = window;
  }

  /** `window`: give every stream all the room it could want. */
  static async open(
    port: number,
    { window = true, ...how }: Dial & { window?: boolean } = {},
  ): Promise<H2> {
    const h2 = new H2(await dial(port, { ...how, ...(how.tls ? { alpn: "h2" } : {}) }), window);
    const large = window ? Uint8Array.of(0, 4, 0x7f, 0xff, 0xff, 0xff) : new Uint8Array();
    const start = [latin1("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame("SETTINGS", 0, 0, large)];
    h2.#wire.say(Buffer.concat(start));
    if (window) h2.say(frame("WINDOW_UPDATE", 0, 0, uint32(0x7f00_0000)));
    return h2;
  }

  say(...frames: readonly Uint8Array[]): void {
    this.#wire.say(Buffer.concat(frames));
  }

  /** HEADERS that begin a request. */
  ask(stream: number, fields: readonly (readonly [string, string])[], end = true): void {
    this.say(frame("HEADERS", END_HEADERS | (end ? END_STREAM : 0), stream, literals(fields)));
  }

  /** All the room a stream and its connection can have. */
  widen(stream: number): void {
    const room = uint32(0x7f00_0000);
    this.say(frame("WINDOW_UPDATE", 0, 0, room), frame("WINDOW_UPDATE", 0, stream, room));
  }

  /** Until this is so, reading frames; false when it does not come to be. */
  until(what: () => boolean, ms = 4000): Promise<boolean> {
    return this.#wire.until((heard) => {
      this.#frames(heard);
      return what();
    }, ms);
  }

  /** How a stream ended: "200", "reset 1", "goaway 1", or "closed" with the connection. */
  async end(stream: number, ms?: number): Promise<string> {
    const known = (): string | undefined => {
      const own = this.ends.get(stream);
      if (own !== undefined) return own;
      return this.ends.get(0) ?? (this.#wire.state === "closed" ? "closed" : undefined);
    };
    await this.until(() => known() !== undefined, ms);
    return known() ?? "silence";
  }

  /** Read nothing more off the socket. */
  pause(): void {
    this.#wire.pause();
  }

  get state(): Wire["state"] {
    return this.#wire.state;
  }
  get bytes(): number {
    return this.#wire.bytes;
  }
  [Symbol.dispose](): void {
    this.#wire[Symbol.dispose]();
  }

  #frames(heard: string): void {
    while (heard.length - this.#read >= HEAD) {
      const head = latin1(heard.slice(this.#read, this.#read + HEAD));
      const view = new DataView(head.buffer, head.byteOffset);
      const length = view.getUint32(0) >>> 8;
      if (heard.length - this.#read < HEAD + length) return;
      const payload = latin1(heard.slice(this.#read + HEAD, this.#read + HEAD + length));
      this.#read += HEAD + length;
      this.#take(TYPES[view.getUint8(3)], view.getUint8(4), view.getUint32(5), payload);
    }
  }

  #take(type: Type | undefined, flags: number, stream: number, payload: Uint8Array): void {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    if (type === "SETTINGS" && (flags & ACK) === 0)
      this.say(frame("SETTINGS", ACK, 0, new Uint8Array()));
    if (type === "PING" && (flags & ACK) === 0) this.say(frame("PING", ACK, 0, payload));
    if (type === "HEADERS") this.ends.set(stream, statusIn(payload));
    if (type === "DATA")
      this.data.set(
        stream,
        (this.data.get(stream) ?? "") + Buffer.from(payload).toString("latin1"),
      );
    if (type === "DATA" && this.#window && payload.length > 0)
      this.say(frame("WINDOW_UPDATE", 0, 0, uint32(payload.length)));
    if (type === "RST_STREAM") this.ends.set(stream, `reset ${view.getUint32(0)}`);
    if (type === "GOAWAY") this.ends.set(0, `goaway ${view.getUint32(4)}`);
  }
}

/** The static table's statuses (RFC 7541, appendix A), index 8 on. */
const STATUSES = ["200", "204", "206", "304", "400", "404", "500"];

/** The status, which comes first: an entry of the static table, or a literal under its name. */
function statusIn(block: Uint8Array): string {
  let at = 0;
  while ((block[at]! & 0xe0) === 0x20) at++; // size of the dynamic table
  const first = block[at]!;
  if (first >= 0x88) return STATUSES[first - 0x88] ?? "later";
  const length = block[at + 1]!;
  const value = block.subarray(at + 2, at + 2 + (length & 0x7f));
  return length < 0x80 ? Buffer.from(value).toString("latin1") : digits(value);
}

/** Three Huffman-coded digits: 0 to 2 in five bits, 3 to 9 in six (RFC 7541, appendix B). */
function digits(coded: Uint8Array): string {
  const bits = [...coded].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  let said = "";
  for (let at = 0; said.length < 3;) {
    const five = Number.parseInt(bits.slice(at, at + 5), 2);
    said += five < 3 ? five : Number.parseInt(bits.slice(at, at + 6), 2) - 0x16;
    at += five < 3 ? 5 : 6;
  }
  return said;
}
