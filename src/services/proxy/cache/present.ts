import { byName, type Field } from "../../../wire/http/caching/field-list.ts";
import type { ReplyFields } from "../../../wire/http/caching/stored.ts";
/** From a stored response to what one client gets of it. */
import { evaluate } from "../../../wire/http/conditional.ts";
import { parseDate } from "../../../wire/http/date.ts";
import type { Body, HttpRequest, HttpResponse, Piece } from "../../../wire/http/message.ts";
import { multipart } from "../../../wire/http/multipart.ts";
import {
  contentRange,
  ifRange,
  parseRange,
  type Range,
  unsatisfiedRange,
} from "../../../wire/http/range.ts";

/** A response that is there, or on its way. */
export interface Shown {
  readonly status: number;
  readonly fields: readonly Field[];
  /** Bytes of the body, where known. */
  readonly length: number | undefined;
  /** Bytes [from, to) of it; called at most once. */
  body(from: number, to: number): Body;
  /** The same as pieces; undefined while they are on their way, or too many to be had at once. */
  pieces(from: number, to: number): Piece[] | undefined;
  /** It will not be sent, or not all of it is wanted: give back what it holds. */
  discard(): void;
}

/** Our name in Cache-Status. */
export const CACHE_NAME = "tern";
/** Ranges in one request; when there are more, the whole is sent. */
const MAX_RANGES = 16;

/** Said of the stored bytes, not of what is sent instead of them. */
const OF_THE_BODY = new Set([
  "content-encoding",
  "content-range",
  "content-type",
  "content-length",
]);
const NOTHING: Body = { kind: "none" };

/**
 * The answer to `request`: conditions first, then ranges (RFC 9110, 13.2.2). `more`: fields of ours,
 * which take the place of those there. `boundary` draws one for several ranges.
 */
export function present(
  shown: Shown,
  request: Pick<HttpRequest, "method" | "headers">,
  more: readonly Field[],
  boundary: () => string,
): HttpResponse {
  const { status, length } = shown;
  const fields = withOwn(shown.fields, more);
  if (status !== 200) return whole(shown, request, fields);
  const known = byName(shown.fields);
  const { method, headers } = request;
  const etag = known.get("etag");
  const lastModified = parseDate(known.get("last-modified") ?? "");
  if (evaluate({ method, headers, etag, lastModified }) === 304) {
    shown.discard();
    return answer(304, fields.filter(isNotOfTheBody), NOTHING);
  }
  if (
    method !== "GET" ||
    length === undefined ||
    !ifRange(headers.get("if-range"), etag, lastModified)
  )
    return whole(shown, request, fields);
  const ranges = parseRange(headers.get("range"), length, MAX_RANGES);
  if (ranges === "ignore") return whole(shown, request, fields);
  if (ranges === "unsatisfiable") {
    shown.discard();
    const kept = fields.filter(isNotOfTheBody);
    return answer(416, [...kept, ["Content-Range", unsatisfiedRange(length)]], NOTHING);
  }
  const [first] = ranges;
  if (ranges.length === 1 && first !== undefined) return part(shown, fields, first, length);
  return parts(shown, fields, ranges, length, known, boundary()) ?? whole(shown, request, fields);
}

function whole(
  shown: Shown,
  { method }: Pick<HttpRequest, "method">,
  fields: readonly Field[],
): HttpResponse {
  const { status, length } = shown;
  if (method !== "HEAD") return answer(status, fields, shown.body(0, Infinity));
  shown.discard();
  const sized = length !== undefined && status !== 204;
  return answer(status, sized ? [...fields, ["Content-Length", String(length)]] : fields, NOTHING);
}

function part(shown: Shown, fields: readonly Field[], range: Range, size: number): HttpResponse {
  const { offset, length } = range;
  return answer(
    206,
    [...fields, ["Content-Range", contentRange(range, size)]],
    shown.body(offset, offset + length),
  );
}

function parts(
  shown: Shown,
  fields: readonly Field[],
  ranges: readonly Range[],
  size: number,
  known: ReplyFields,
  boundary: string,
): HttpResponse | undefined {
  const type = known.get("content-type") ?? "application/octet-stream";
  const made = multipart(ranges, size, type, boundary);
  const all: Piece[] = [];
  for (const { head, range } of made.parts) {
    const pieces = shown.pieces(range.offset, range.offset + range.length);
    if (pieces === undefined) return undefined;
    all.push(head, ...pieces);
  }
  const others = fields.filter(([name]) => name.toLowerCase() !== "content-type");
  return answer(206, [...others, ["Content-Type", made.contentType]], {
    kind: "pieces",
    pieces: [...all, made.tail],
    release: () => shown.discard(),
  });
}

function answer(status: number, headers: readonly Field[], body: Body): HttpResponse {
  return { status, headers, body, named: true };
}

/** `more` takes the place of what is there; Cache-Status goes on behind it (RFC 9211, 2). */
function withOwn(fields: readonly Field[], more: readonly Field[]): Field[] {
  const ours = new Set(more.map(([name]) => name.toLowerCase()));
  const before = fields.filter(([name]) => name.toLowerCase() === "cache-status");
  const kept = fields.filter(([name]) => !ours.has(name.toLowerCase()));
  return [...kept, ...before, ...more];
}

function isNotOfTheBody([name]: Field): boolean {
  return !OF_THE_BODY.has(name.toLowerCase());
}
