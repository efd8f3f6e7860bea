/** The head of a stored response as bytes made ahead, Age and ttl kept true in place. */
import { headOf } from "../../../../net/http1/response-writer.ts";
import type { CopySource, Prepared, Second } from "../../../../net/quick.ts";
import { cacheStatus } from "../../../../wire/http/caching/cache-status.ts";
import type { Field } from "../../../../wire/http/caching/field-list.ts";
import type { Freshness } from "../../../../wire/http/caching/stored.ts";
import type { HttpResponse } from "../../../../wire/http/message.ts";
import type { Bannable } from "../bans.ts";
import { CACHE_NAME, present } from "../present.ts";

/** Numbers that change are given so much room; what they do not use are spaces, which mean nothing there. */
const WIDTH = 10;
const ROOM = "0".repeat(WIDTH);
const SECOND = 1000;
/** What objects take beside their bytes. */
const OVERHEAD = 512;
const EMPTY = new Uint8Array();

/** A stored response that answers are made of ahead. */
export interface Answerable extends Bannable {
  readonly names: readonly string[];
  readonly status: number;
  readonly fields: readonly Field[];
  readonly freshness: Freshness;
  readonly body: { readonly length: number };
  /** May be answered from. */
  readonly alive: boolean;
  visits: number;
  baked: Baked | undefined;
}

/** Where its body is copied from. */
export interface Source {
  readonly length: number;
  /** Copy bytes [from, to) to `into`, from `at` on. Only in the turn it was found in. */
  read(from: number, to: number, into: Uint8Array, at: number): void;
}

/** One answer made ahead; its body is where the entry's is, as long as that is found. */
class Canned implements Prepared, CopySource {
  readonly status: number;
  stamp = 0;
  readonly packet = undefined;
  readonly head: Uint8Array;
  readonly body = EMPTY;
  readonly file = undefined;
  readonly length: number;
  readonly #held: Source | undefined;
  /** Offsets of the numbers in `head`; -1 when the operator wants them not told. */
  readonly #ageAt: number;
  readonly #ttlAt: number;
  readonly #born: number;
  readonly #lifetime: number;

  constructor(response: HttpResponse, { freshness }: Answerable, body: Source | undefined) {
    const { status } = response;
    const bare = status === 304 || status === 204;
    this.length = body?.length ?? 0;
    this.head = headOf(
      response,
      bare ? { kind: "bare" } : { kind: "length", length: this.length },
      false,
    );
    const text = Buffer.from(this.head).toString("latin1");
    this.status = status;
    this.#held = bare ? undefined : body;
    this.#born = freshness.born;
    this.#lifetime = freshness.lifetime;
    this.#ageAt = after(text, "\r\nAge: ", ROOM);
    this.#ttlAt = after(text, "; ttl=", `${ROOM}\r\n`);
  }

  get source(): CopySource | undefined {
    return this.#held && this;
  }

  copyTo(into: Uint8Array, at: number): void {
    this.#held?.read(0, this.length, into, at);
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

/** The answers made ahead for one stored response: itself, and "you have it". */
export class Baked extends Canned {
  /** A `Clock` time. */
  readonly until: number;
  readonly etag: string | undefined;
  readonly modified: string | undefined;
  /** Made when somebody first asks whether it changed. */
  unchanged: Prepared | undefined;
  /** Of the bans, when it was last found alive. */
  version = -1;
  /** For whom it was made: another config has another. */
  readonly way: Finishing;
  /** Where it is found. */
  place: Place<Answerable> | undefined;

  constructor(entry: Answerable, source: Source, until: number, way: Finishing) {
    const { fields } = entry;
    super(answerOf(entry, way, {}), entry, source);
    this.until = until;
    this.way = way;
    this.etag = valueOf(fields, "etag");
    this.modified = valueOf(fields, "last-modified");
  }

  /** Bytes it takes beside the body. */
  get extra(): number {
    const { unchanged } = this;
    return OVERHEAD + this.head.length + (unchanged ? OVERHEAD + unchanged.head.length : 0);
  }

  /** `entry` is gone: nobody is to find it. */
  forget(entry: Answerable): void {
    const { place } = this;
    if (place?.entry === entry) place.entry = undefined;
    const at = place?.variants?.indexOf(entry) ?? -1;
    if (at >= 0 && place?.variants) place.variants[at] = undefined;
  }

  bakeUnchanged(entry: Answerable, way: Finishing): void {
    const { etag, modified } = this;
    if (this.unchanged !== undefined || entry.status !== 200) return;
    if (etag === undefined && modified === undefined) return;
    const condition: Asking =
      etag === undefined ? { "if-modified-since": modified } : { "if-none-match": etag };
    const response = answerOf(entry, way, condition);
    if (response.status === 304) this.unchanged = new Canned(response, entry, undefined);
  }
}

/** Where requests for one URL find its responses. */
export interface Place<E extends Answerable> {
  readonly hash: number;
  /** Host field and target as they are sent. */
  readonly text: string;
  /** One for all, or by class of Accept-Encoding where the response varies. */
  entry: E | undefined;
  readonly variants: (E | undefined)[] | undefined;
}

/** What the operator wants of every response. */
export interface Finishing {
  finish(response: HttpResponse): HttpResponse;
}
type Asking = Readonly<Record<string, string | undefined>>;

/** The full path's own answer to a GET with these fields, without its body. */
function answerOf(
  { status, body, fields }: Answerable,
  way: Finishing,
  asking: Asking,
): HttpResponse {
  const headers = {
    get: (name: string) => asking[name] ?? null,
    has: (name: string) => asking[name] !== undefined,
    forEach: () => {},
  };
  const response = present(
    {
      status,
      fields,
      length: body.length,
      body: () => ({ kind: "none" }),
      pieces: () => undefined,
      discard: () => {},
    },
    { method: "GET", headers },
    [
      ["Age", ROOM],
      ["Cache-Status", `${cacheStatus(CACHE_NAME, { hit: true })}; ttl=${ROOM}`],
    ],
    () => "",
  );
  return way.finish(response);
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
