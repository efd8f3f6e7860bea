import { currentDate } from "../../net/http1/http-date.ts";
import { Copier } from "../../sys/copier.ts";
import { block } from "../../sys/memory.ts";
import type { Body, HttpResponse, ReadyLines } from "../../wire/http/message.ts";
import { is } from "../../wire/http1/characters.ts";
import { copyLines, fieldsIn } from "../../wire/http1/field-lines.ts";
import { FieldTable } from "../../wire/http1/field-table.ts";
import { type Reply, ReplySlot } from "../../wire/http1/reply.ts";
import { isSendable } from "../../wire/http1/response-head.ts";
import type { FieldChanges } from "./route-config.ts";

/**
 * Lines are put together here, and most are sent before the next ones are: what nobody has taken by
 * then moves out.
 */
const LINES = block(64 * 1024).bytes;
const here: { tenant: Relayed | undefined } = { tenant: undefined };
const [copyIn, copyOut] = [new Copier(), new Copier()];

/** What `responseFields` leaves out. */
const DROPPED = [
  ReplySlot.connection,
  ReplySlot.transferEncoding,
  ReplySlot.upgrade,
  ReplySlot.keepAlive,
  ReplySlot.trailer,
  ReplySlot.proxyConnection,
  ReplySlot.te,
].reduce<number>((bits, slot) => bits | (1 << slot), 0);
const LENGTH = 1 << ReplySlot.contentLength;
/** A table holds fewer than this beside. */
const MOST_CHANGES = 31;

/** The same fields as `responseFields` makes, copied from what the server sent. */
export class ResponseLines {
  readonly #set: Uint8Array;
  readonly #changed: FieldTable | undefined;
  /** The operator has his own word for Date. */
  readonly #dated: boolean;

  private constructor(changes: FieldChanges) {
    const fields = Object.entries(changes);
    const set = fields.filter(([name, value]) => value !== null && isSendable(name, value));
    this.#set = Buffer.from(set.map(([name, value]) => `${name}: ${value}\r\n`).join(""), "latin1");
    const names = fields.map(([name]) => name.toLowerCase());
    this.#changed = names.length === 0 ? undefined : new FieldTable(names);
    this.#dated = names.includes("date");
  }

  /** Undefined when these changes need the long way. */
  static for(changes: FieldChanges): ResponseLines | undefined {
    const names = Object.keys(changes);
    const framed = names.some((name) => /^content-length$/i.test(name));
    return framed || names.length > MOST_CHANGES ? undefined : new ResponseLines(changes);
  }

  /**
   * The lines for the client are put together: answers their length for the `Relayed` that is made
   * of them at once, or -1 when there is something in them that takes thought.
   */
  of(reply: Reply, method: string): number {
    const { status } = reply;
    if (status === 101 || !isPlain(reply)) return -1;
    here.tenant?.moveOut();
    // There the length is that of a body that does not come.
    const dropped = method === "HEAD" || status === 304 ? DROPPED : DROPPED | LENGTH;
    let end = copyLines(reply, dropped, this.#changed, LINES, 0, copyIn);
    if (end < 0 || end + this.#set.length + MAX_DATE > LINES.length) return -1;
    // Who forwards a response without a Date says when it came (RFC 9110, 6.6.1).
    if (reply.slot[ReplySlot.date]! < 0 && !this.#dated) end = putDate(end);
    if (this.#set.length > 0) LINES.set(this.#set, end);
    return end + this.#set.length;
  }
}

function putDate(at: number): number {
  const { bytes } = currentDate();
  LINES.set(DATE, at);
  LINES.set(bytes, at + DATE.length);
  LINES[at + DATE.length + bytes.length] = 13;
  LINES[at + DATE.length + bytes.length + 1] = 10;
  return at + MAX_DATE;
}
const DATE = Buffer.from("Date: ", "latin1");
/** Bytes of the line. */
const MAX_DATE = 37;

/** Connection names nothing but itself. */
function isPlain(reply: Reply): boolean {
  const { bytes, slot, repeats, valueStart, valueEnd } = reply;
  const at = slot[ReplySlot.connection]!;
  if (at < 0) return true;
  if ((repeats & (1 << ReplySlot.connection)) !== 0) return false;
  const from = valueStart[at]!;
  const to = valueEnd[at]!;
  return is(bytes, from, to, "keep-alive") || is(bytes, from, to, "close");
}

/** A server's answer that goes on as it is, by the lines that `ResponseLines` has just put together. */
export class Relayed implements HttpResponse, ReadyLines {
  readonly named = true;
  readonly status: number;
  readonly length: number;
  readonly body: Body;
  readonly #server: string;
  readonly #ms: number;
  /** Where the lines are, once they have moved out of LINES. */
  #moved: Uint8Array | undefined;
  #headers: HttpResponse["headers"] | undefined;

  /** `length` of its lines; `server` whose answer it is, and how many `ms` its head took. */
  constructor(status: number, length: number, body: Body, server: string, ms: number) {
    this.status = status;
    this.length = length;
    this.body = body;
    this.#server = server;
    this.#ms = ms;
    here.tenant = this;
  }

  get lines(): ReadyLines {
    return this;
  }
  get headers(): HttpResponse["headers"] {
    return (this.#headers ??= fieldsIn(this.#own()));
  }
  get upstream(): NonNullable<HttpResponse["upstream"]> {
    return { server: this.#server, ms: this.#ms };
  }

  copyTo(into: Uint8Array, at: number): void {
    if (here.tenant === this) {
      copyOut.copy(LINES, 0, into, at, this.length);
      here.tenant = undefined;
    } else into.set(this.#own(), at);
  }

  /** Others need the place. */
  moveOut(): void {
    this.#moved = LINES.slice(0, this.length);
    here.tenant = undefined;
  }

  /** Its lines, where nobody else puts any. */
  #own(): Uint8Array {
    if (here.tenant === this) this.moveOut();
    if (this.#moved === undefined) throw new Error("these lines were taken");
    return this.#moved;
  }
}
