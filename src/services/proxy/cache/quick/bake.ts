/** A stored response as bytes made ahead: head and body in one packet, Age and ttl kept true in place. */
import { headOf } from "../../../../net/http1/response-writer.ts";
import type { Prepared, Second } from "../../../../net/quick.ts";
import { cacheStatus } from "../../../../wire/http/caching/cache-status.ts";
import type { Field } from "../../../../wire/http/caching/field-list.ts";
import type { HttpResponse } from "../../../../wire/http/message.ts";
import type { Entry } from "../entry.ts";
import { inMemory } from "../kept.ts";
import { CACHE_NAME, present } from "../present.ts";

/** Bodies up to this size are kept behind their head: one call sends both. */
const MAX_PACKED = 16 * 1024;
/** Numbers that change are given so much room; what they do not use are spaces, which mean nothing there. */
const WIDTH = 10;
const ROOM = "0".repeat(WIDTH);
const SECOND = 1000;
/** What objects take beside their bytes. */
const OVERHEAD = 256;
const EMPTY = new Uint8Array();

/** Answers made ahead for one stored response. */
export class Baked {
  readonly whole: Prepared;
  /** Made when somebody first asks whether it changed. */
  unchanged: Prepared | undefined;
  readonly etag: string | undefined;
  readonly modified: string | undefined;
  readonly #entry: Entry;
  readonly #finish: (response: HttpResponse) => HttpResponse;

  /** `until`: a `Clock` time. `finish`: what the operator wants of every response. */
  constructor(entry: Entry, until: number, finish: (response: HttpResponse) => HttpResponse) {
    this.#entry = entry;
    this.#finish = finish;
    this.until = until;
    const { fields } = entry;
    this.etag = valueOf(fields, "etag");
    this.modified = valueOf(fields, "last-modified");
    const [only = EMPTY] = entry.body.pieces;
    const whole = new Canned(this.#response({}), entry, only);
    // The bytes are in the packet now.
    if (whole.packet !== undefined) entry.body = inMemory([whole.body]);
    this.whole = whole;
  }

  readonly until: number;

  /** Bytes it takes beside the body. */
  get extra(): number {
    return (
      OVERHEAD +
      this.whole.head.length +
      (this.unchanged ? OVERHEAD + this.unchanged.head.length : 0)
    );
  }

  bakeUnchanged(): void {
    if (this.unchanged !== undefined || this.#entry.status !== 200) return;
    if (this.etag === undefined && this.modified === undefined) return;
    const condition =
      this.etag === undefined
        ? { "if-modified-since": this.modified }
        : { "if-none-match": this.etag };
    const response = this.#response(condition);
    if (response.status === 304) this.unchanged = new Canned(response, this.#entry, EMPTY);
  }

  /** The full path's own answer to a GET with these fields. */
  #response(fields: Readonly<Record<string, string | undefined>>): HttpResponse {
    const { status, body, fields: sent } = this.#entry;
    const headers = {
      get: (name: string) => fields[name] ?? null,
      has: (name: string) => fields[name] !== undefined,
      forEach: () => {},
    };
    const response = present(
      {
        status,
        fields: sent,
        length: body.length,
        body: () => ({ kind: "pieces", pieces: body.pieces }),
        pieces: undefined,
        discard: () => {},
      },
      { method: "GET", headers },
      [
        ["Age", ROOM],
        ["Cache-Status", `${cacheStatus(CACHE_NAME, { hit: true })}; ttl=${ROOM}`],
      ],
      () => "",
    );
    return this.#finish(response);
  }
}

class Canned implements Prepared {
  readonly status: number;
  stamp = 0;
  readonly packet: Uint8Array | undefined;
  readonly head: Uint8Array;
  readonly body: Uint8Array;
  readonly file = undefined;
  /** Offsets of the numbers in `head`; -1 when the operator wants them not told. */
  readonly #ageAt: number;
  readonly #ttlAt: number;
  readonly #born: number;
  readonly #lifetime: number;

  constructor(response: HttpResponse, { freshness }: Entry, body: Uint8Array) {
    const { status } = response;
    const bare = status === 304 || status === 204;
    const head = headOf(
      response,
      bare ? { kind: "bare" } : { kind: "length", length: body.length },
      false,
    );
    const text = Buffer.from(head).toString("latin1");
    this.status = status;
    this.#born = freshness.born;
    this.#lifetime = freshness.lifetime;
    this.#ageAt = after(text, "\r\nAge: ", ROOM);
    this.#ttlAt = after(text, "; ttl=", `${ROOM}\r\n`);
    if (body.length > MAX_PACKED) {
      this.head = head;
      this.body = body;
      return;
    }
    this.packet = new Uint8Array(new ArrayBuffer(head.length + body.length));
    this.packet.set(head);
    this.packet.set(body, head.length);
    this.head = this.packet.subarray(0, head.length);
    this.body = this.packet.subarray(head.length);
  }

  /** Made anew each time: few clients want their connection closed. */
  get closing(): Uint8Array {
    const { length } = this.head;
    const bytes = new Uint8Array(length + CLOSE.length);
    bytes.set(this.head.subarray(0, length - 2));
    bytes.set(CLOSE, length - 2);
    bytes.set(this.head.subarray(length - 2), length - 2 + CLOSE.length);
    return bytes;
  }

  refresh({ second }: Second): void {
    const age = Math.max(0, second * SECOND - this.#born);
    if (this.#ageAt >= 0) write(this.head, this.#ageAt, age / SECOND);
    if (this.#ttlAt >= 0) write(this.head, this.#ttlAt, Math.max(0, this.#lifetime - age) / SECOND);
    this.stamp = second;
  }
}

const CLOSE = Buffer.from("Connection: close\r\n", "latin1");

/** Where `what` is behind `before`. */
function after(text: string, before: string, what: string): number {
  const at = text.lastIndexOf(before + what);
  return at < 0 ? -1 : at + before.length;
}

/** The whole part of a number, and spaces behind it up to the WIDTH it may take. */
function write(into: Uint8Array, at: number, number: number): void {
  let rest = Math.min(Math.floor(number), 9_999_999_999);
  let digits = 1;
  for (let ten = 10; ten <= rest; ten *= 10) digits++;
  for (let i = digits - 1; i >= 0; i--) {
    into[at + i] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  into.fill(32, at + digits, at + WIDTH);
}

function valueOf(fields: readonly Field[], name: string): string | undefined {
  return fields.find(([one]) => one.toLowerCase() === name)?.[1];
}
