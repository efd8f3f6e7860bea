import { currentDate } from "../../net/http1/http-date.ts";
import type { Body, HttpResponse } from "../../wire/http/message.ts";
import { is } from "../../wire/http1/characters.ts";
import { copyLines, fieldsIn } from "../../wire/http1/field-lines.ts";
import { FieldTable } from "../../wire/http1/field-table.ts";
import { type Reply, ReplySlot } from "../../wire/http1/reply.ts";
import { isSendable } from "../../wire/http1/response-head.ts";
import type { FieldChanges } from "./route-config.ts";

/** Lines are put together here. */
const LINES = new Uint8Array(64 * 1024);

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

  /** The lines for the client; undefined when there is something in them that takes thought. */
  of(reply: Reply, method: string): Uint8Array | undefined {
    const { status } = reply;
    if (status === 101 || !isPlain(reply)) return undefined;
    // There the length is that of a body that does not come.
    const dropped = method === "HEAD" || status === 304 ? DROPPED : DROPPED | LENGTH;
    let end = copyLines(reply, dropped, this.#changed, LINES, 0);
    if (end < 0 || end + this.#set.length + MAX_DATE > LINES.length) return undefined;
    // Who forwards a response without a Date says when it came (RFC 9110, 6.6.1).
    if (reply.slot[ReplySlot.date]! < 0 && !this.#dated) end = putDate(end);
    LINES.set(this.#set, end);
    return LINES.slice(0, end + this.#set.length);
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

/** A server's answer that goes on as it is. */
export class Relayed implements HttpResponse {
  readonly named = true;
  readonly status: number;
  readonly lines: Uint8Array;
  readonly body: Body;
  readonly upstream: NonNullable<HttpResponse["upstream"]>;
  #headers: HttpResponse["headers"] | undefined;

  constructor(
    status: number,
    lines: Uint8Array,
    body: Body,
    upstream: NonNullable<HttpResponse["upstream"]>,
  ) {
    this.status = status;
    this.lines = lines;
    this.body = body;
    this.upstream = upstream;
  }

  get headers(): HttpResponse["headers"] {
    return (this.#headers ??= fieldsIn(this.lines));
  }
}
