import type { Incoming } from "../../net/http1/incoming.ts";
import { Copier } from "../../sys/copier.ts";
import { block } from "../../sys/memory.ts";
import { is } from "../../wire/http1/characters.ts";
import { copyLines } from "../../wire/http1/field-lines.ts";
import { FieldTable } from "../../wire/http1/field-table.ts";
import type { Head } from "../../wire/http1/head.ts";
import { Slot } from "../../wire/http1/known-fields.ts";
import { isSendable } from "../../wire/http1/response-head.ts";
import type { FieldChanges } from "./route-config.ts";

/** Request heads of this thread are put together here; each is sent, or copied, before the next. */
export const HEAD = block(64 * 1024).bytes;
/** From the buffer that clients are read into. */
const copier = new Copier();
/** Up to so many bytes it is no faster than a loop. */
const FEW = 8;
/** For what is added to a client's fields, beside the operator's. */
const OURS = 2048;

/** What `requestFields` leaves out or says anew, of a client that is not trusted. */
const DROPPED = [
  Slot.host,
  Slot.connection,
  Slot.contentLength,
  Slot.transferEncoding,
  Slot.expect,
  Slot.upgrade,
  Slot.keepAlive,
  Slot.proxyConnection,
  Slot.te,
  Slot.trailer,
  Slot.proxy,
  Slot.forwarded,
  Slot.xForwardedFor,
  Slot.xForwardedHost,
  Slot.xForwardedProto,
  Slot.xRealIp,
  Slot.via,
].reduce<number>((bits, slot) => bits | (1 << slot), 0);

const text = (of: string): Uint8Array => Buffer.from(of, "latin1");
const VERSION_HOST = text(" HTTP/1.1\r\nHost: ");
const FOR = text("\r\nX-Forwarded-For: ");
const HOST = text("\r\nX-Forwarded-Host: ");
const PROTO = {
  http: text("\r\nX-Forwarded-Proto: http"),
  https: text("\r\nX-Forwarded-Proto: https"),
};
const CHUNKED = text("Transfer-Encoding: chunked\r\n");
const LENGTH = text("Content-Length: ");
const NONE = text("Content-Length: 0\r\n");

/** The same head as `requestHead` of `requestFields` makes, copied from the client's where that does. */
export class RequestLines {
  readonly #via: Record<"HTTP/1.0" | "HTTP/1.1", Uint8Array>;
  /** Fields the operator sets, as lines; and their names, and those of what he takes away. */
  readonly #set: Uint8Array;
  readonly #changed: FieldTable | undefined;

  private constructor(changes: FieldChanges, via: string) {
    this.#via = {
      "HTTP/1.0": text(`\r\nVia: 1.0 ${via}\r\n`),
      "HTTP/1.1": text(`\r\nVia: 1.1 ${via}\r\n`),
    };
    const fields = Object.entries(changes);
    this.#set = text(
      fields
        .filter(([name, value]) => value !== null && isSendable(name, value))
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join(""),
    );
    const names = fields.map(([name]) => name.toLowerCase());
    this.#changed = names.length === 0 ? undefined : new FieldTable(names);
  }

  /** Undefined when these changes need the long way. */
  static for(changes: FieldChanges, via: string): RequestLines | undefined {
    const names = Object.keys(changes);
    const ours = names.some((name) => /^(via|x-forwarded-(for|host|proto)|forwarded)$/i.test(name));
    return ours || names.length > MOST_CHANGES ? undefined : new RequestLines(changes, via);
  }

  /**
   * Put the head of `request` for a server together in HEAD. Answers where it ends, 0 when it has
   * something that takes thought. `target` when it is another one than the client's.
   */
  write(request: Incoming, target: string | undefined): number {
    const { head, client, body, protocol } = request;
    if (head === undefined || !isPlain(head)) return 0;
    const { bytes } = head;
    const host = head.slot[Slot.host] as number;
    const valueStart = head.valueStart[host] as number;
    const valueEnd = head.valueEnd[host] as number;
    const more = (target?.length ?? 0) + valueEnd - valueStart; // the host is said twice
    const size = head.linesEnd - head.methodStart + this.#set.length + more + OURS;
    if (size > HEAD.length) return 0;

    let at = put(bytes, head.methodStart, head.methodEnd + 1, 0);
    if (target === undefined) at = put(bytes, head.targetStart, head.targetEnd, at);
    else at = putText(target, at);
    at = putAll(VERSION_HOST, at);
    at = putLower(bytes, valueStart, valueEnd, at);
    at = putAll(FOR, at);
    at = putText(client.address, at);
    at = putAll(HOST, at);
    at = putLower(bytes, valueStart, valueEnd, at);
    at = putAll(PROTO[request.secure ? "https" : "http"], at);
    at = putAll(this.#via[protocol], at);
    at = copyLines(head, DROPPED, this.#changed, HEAD, at, copier);
    at = putAll(this.#set, at);
    if (head.chunked) at = putAll(CHUNKED, at);
    else if (body !== undefined) {
      at = putText(String(head.contentLength), putAll(LENGTH, at));
      at = end(at);
    } else if (saysEmpty(request.method)) at = putAll(NONE, at);
    return end(at);
  }
}

/** A table holds fewer than this beside. */
const MOST_CHANGES = 31;

/** Nothing in it that `requestFields` would look at more closely. */
function isPlain(head: Head): boolean {
  const { bytes, slot, repeats, valueStart, valueEnd } = head;
  if (head.form !== "origin" || slot[Slot.host]! < 0 || head.upgrade) return false;
  if (slot[Slot.via]! >= 0 || hasUnderscores(head)) return false;
  const connection = slot[Slot.connection]!;
  if (connection < 0) return true;
  if ((repeats & (1 << Slot.connection)) !== 0) return false;
  const from = valueStart[connection]!;
  const to = valueEnd[connection]!;
  return is(bytes, from, to, "keep-alive") || is(bytes, from, to, "close");
}

/** Is there a name that some servers read as another one? */
function hasUnderscores({ bytes, fields, number, nameStart, nameEnd }: Head): boolean {
  for (let i = 0; i < fields; i++) {
    if (number[i]! >= 0) continue; // known by a name that has none
    for (let at = nameStart[i]!; at < nameEnd[i]!; at++) if (bytes[at] === UNDERSCORE) return true;
  }
  return false;
}
const UNDERSCORE = 95;

function saysEmpty(method: string): boolean {
  return method === "POST" || method === "PUT" || method === "PATCH";
}

function put(bytes: Uint8Array, from: number, to: number, at: number): number {
  if (to - from > FEW) {
    copier.copy(bytes, from, HEAD, at, to - from);
    return at + to - from;
  }
  for (let i = from; i < to; i++) HEAD[at++] = bytes[i]!;
  return at;
}

function putLower(bytes: Uint8Array, from: number, to: number, at: number): number {
  for (let i = from; i < to; i++) {
    const c = bytes[i]!;
    HEAD[at++] = c >= 65 && c <= 90 ? c | 0x20 : c;
  }
  return at;
}

function putAll(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < bytes.length; i++) HEAD[at++] = bytes[i]!;
  return at;
}

/** ASCII. */
function putText(said: string, at: number): number {
  for (let i = 0; i < said.length; i++) HEAD[at++] = said.charCodeAt(i);
  return at;
}

function end(at: number): number {
  HEAD[at] = 13;
  HEAD[at + 1] = 10;
  return at + 2;
}
