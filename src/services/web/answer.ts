/** From a file's variant and a request to a response: conditions, ranges, fields (RFC 9110, 13-15). */
import { evaluate } from "../../wire/http/conditional.ts";
import { formatDate } from "../../wire/http/date.ts";
import type { Body, Fields, HttpResponse, Piece } from "../../wire/http/message.ts";
import { multipart } from "../../wire/http/multipart.ts";
import {
  contentRange,
  ifRange,
  parseRange,
  type Range,
  unsatisfiedRange,
} from "../../wire/http/range.ts";
import type { Field } from "./fields.ts";
import type { Resource, Variant } from "./resource.ts";

export interface Asked {
  readonly method: string;
  readonly headers: Fields;
}

const NOTHING: Body = { kind: "none" };

/** The answer to GET or HEAD. `wall` is the time in milliseconds since 1970. */
export function answer(
  asked: Asked,
  resource: Resource,
  variant: Variant,
  rules: { readonly maxRanges: number; readonly wall: number },
): HttpResponse {
  const { headers, method } = asked;
  const { etag } = variant;
  const lastModified = resource.facts.mtimeMs;
  const verdict = evaluate({ method, headers, etag, lastModified });
  if (verdict === 304) return unchanged(resource, variant, rules.wall);
  if (verdict === 412) return { status: 412, headers: resource.fields, body: NOTHING };

  // HEAD answers as GET without Range would: a range is of the content it does not send (14.2).
  const range = method === "GET" ? headers.get("range") : null;
  if (range === null || !ifRange(headers.get("if-range"), etag, lastModified))
    return whole(resource, variant, rules.wall, method === "HEAD");
  const ranges = parseRange(range, variant.length, rules.maxRanges);
  if (ranges === "ignore") return whole(resource, variant, rules.wall, false);
  if (ranges === "unsatisfiable") {
    const size: Field = ["Content-Range", unsatisfiedRange(variant.length)];
    return { status: 416, headers: [...resource.fields, size], body: NOTHING };
  }
  return partial(resource, variant, ranges, rules.wall);
}

/** 206: one range as it is, several as multipart/byteranges. */
function partial(
  resource: Resource,
  variant: Variant,
  ranges: readonly Range[],
  wall: number,
): HttpResponse {
  const fields = fieldsOf(resource, variant, wall);
  const of = ({ length, offset }: Range): Piece => pieceOf(variant, offset, length);
  const [only] = ranges;
  if (ranges.length === 1 && only) {
    const where: Field = ["Content-Range", contentRange(only, variant.length)];
    return {
      status: 206,
      headers: [["Content-Type", resource.type], ...fields, where],
      body: bodyOf(resource, variant, [of(only)]),
    };
  }
  // 122 random bits: no file contains them but by knowing them beforehand.
  const made = multipart(ranges, variant.length, resource.type, crypto.randomUUID());
  const pieces = made.parts.flatMap(({ head, range }) => [head, of(range)]);
  return {
    status: 206,
    headers: [["Content-Type", made.contentType], ...fields],
    body: bodyOf(resource, variant, [...pieces, made.tail]),
  };
}

/** 200 with all of it. */
export function whole(
  resource: Resource,
  variant: Variant,
  wall: number,
  headOnly: boolean,
): HttpResponse {
  const headers: Field[] = [["Content-Type", resource.type], ...fieldsOf(resource, variant, wall)];
  if (headOnly) {
    headers.push(["Content-Length", String(variant.length)]);
    return { status: 200, headers, body: NOTHING };
  }
  return {
    status: 200,
    headers,
    body: bodyOf(resource, variant, [pieceOf(variant, 0, variant.length)]),
  };
}

/** 304: what a cache needs to renew its copy (15.4.5). */
export function unchanged(resource: Resource, variant: Variant, wall: number): HttpResponse {
  const headers = fieldsOf(resource, variant, wall).filter(([name]) => !OF_THE_BODY.has(name));
  return { status: 304, headers, body: NOTHING };
}

const OF_THE_BODY = new Set(["Content-Encoding", "Accept-Ranges"]);

/** Fields of a 200 but Content-Type and Content-Length. */
export function fieldsOf(
  resource: Resource,
  variant: Pick<Variant, "coding" | "etag">,
  wall: number,
): Field[] {
  const fields: Field[] = [
    ["Last-Modified", formatDate(Math.floor(resource.facts.mtimeMs))],
    ["ETag", variant.etag],
    ["Accept-Ranges", "bytes"],
  ];
  if (variant.coding !== "identity") fields.push(["Content-Encoding", variant.coding]);
  if (resource.offered.length > 0) fields.push(["Vary", "Accept-Encoding"]);
  if (resource.maxAge !== undefined) {
    const seconds = Math.floor(resource.maxAge / 1000);
    fields.push(["Cache-Control", seconds > 0 ? `max-age=${seconds}` : "no-cache"]);
    fields.push(["Expires", formatDate(wall + resource.maxAge)]);
  }
  fields.push(...resource.fields);
  return fields;
}

/** Bytes of a variant, from memory or from its file. */
function pieceOf(variant: Variant, offset: number, length: number): Piece {
  const { bytes, fd } = variant;
  if (!bytes) return { fd, offset: variant.offset + offset, length };
  return length === bytes.length ? bytes : bytes.subarray(offset, offset + length);
}

/** The resource stays held until the last byte is out. */
function bodyOf(resource: Resource, variant: Variant, pieces: readonly Piece[]): Body {
  if (variant.bytes) return { kind: "pieces", pieces };
  resource.hold();
  return { kind: "pieces", pieces, release: () => resource.drop() };
}
