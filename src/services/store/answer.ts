/** A version as an answer: conditions, ranges, fields (RFC 9110). */
import { evaluate } from "../../wire/http/conditional.ts";
import { formatDate } from "../../wire/http/date.ts";
import type { Body, HttpRequest, HttpResponse } from "../../wire/http/message.ts";
import { typeOf } from "../../wire/http/mime.ts";
import { multipart } from "../../wire/http/multipart.ts";
import {
  contentRange,
  ifRange,
  parseRange,
  type Range,
  unsatisfiedRange,
} from "../../wire/http/range.ts";
import type { Readable } from "./copy-reader.ts";
import { LentFlow } from "./lent-flow.ts";
import type { Version } from "./record.ts";
import type { Verified } from "./verified.ts";

/** Ranges in one request; when there are more, the whole is sent. */
const MAX_RANGES = 16;

type Asking = Pick<HttpRequest, "method" | "headers">;

/** The tag of a version; undefined for what is deleted. */
export function etagOf(version: Version): string | undefined {
  switch (version.kind) {
    case "file": {
      // S3's clients want to see the MD5; what is the same byte for byte may have the same tag.
      const own = version.meta?.["etag"];
      return `"${own ?? `${version.stamp.time.toString(36)}-${version.stamp.by}`}"`;
    }
    case "bare":
      return `"${Math.floor(version.mtime).toString(36)}.${version.size.toString(36)}"`;
    case "deleted":
      return undefined;
  }
}

/** May a request change what is there? Also for what is not; `exists`: something without versions is. */
export function mayChange(
  { method, headers }: Asking,
  newest: Version | undefined,
  exists = false,
): boolean {
  const there = newest !== undefined && newest.kind !== "deleted" ? newest : undefined;
  const verdict = evaluate({
    method,
    headers,
    etag: there && etagOf(there),
    lastModified: there?.mtime,
    exists: exists || there !== undefined,
  });
  return verdict === "go";
}

/** What is to be sent of a version. */
export type Plan =
  | { readonly kind: "not-modified" }
  | { readonly kind: "failed" }
  | { readonly kind: "unsatisfiable" }
  | { readonly kind: "head" }
  | { readonly kind: "whole" }
  | { readonly kind: "ranges"; readonly ranges: readonly Range[] };

export function plan({ method, headers }: Asking, version: Readable): Plan {
  const etag = etagOf(version);
  const verdict = evaluate({ method, headers, etag, lastModified: version.mtime });
  if (verdict === 304) return { kind: "not-modified" };
  if (verdict === 412) return { kind: "failed" };
  if (method === "HEAD") return { kind: "head" };
  if (!ifRange(headers.get("if-range"), etag, version.mtime)) return { kind: "whole" };
  const ranges = parseRange(headers.get("range"), version.size, MAX_RANGES);
  if (ranges === "ignore") return { kind: "whole" };
  if (ranges === "unsatisfiable") return { kind: "unsatisfiable" };
  return { kind: "ranges", ranges };
}

/** The first byte a plan needs; undefined: none. */
export function firstByte(of: Plan): number | undefined {
  if (of.kind === "whole") return 0;
  return of.kind === "ranges" ? (of.ranges[0]?.offset ?? 0) : undefined;
}

function endOf(version: Readable): HttpResponse["headers"] {
  if (version.kind !== "file" || version.until === undefined) return [];
  return [["X-Delete-At", String(Math.ceil(version.until / 1000))]];
}

/** The answer; `body` is closed by it. `path` names the media type where the client said none. */
export function answerWith(of: Plan, body: Verified, path: string): HttpResponse {
  const { version } = body;
  const type = (version.kind === "file" ? version.type : undefined) ?? typeOf(path, {});
  const tags: HttpResponse["headers"] = [
    ["ETag", etagOf(version) ?? ""],
    ["Last-Modified", formatDate(version.mtime)],
    ...endOf(version),
  ];
  const fields: HttpResponse["headers"] = [
    ...tags,
    ["Accept-Ranges", "bytes"],
    ["X-Content-Type-Options", "nosniff"],
  ];
  const typed: HttpResponse["headers"] = [["Content-Type", type], ...fields];
  const nothing = (status: number, headers: HttpResponse["headers"]): HttpResponse => {
    body.close();
    return { status, headers, body: { kind: "none" } };
  };
  switch (of.kind) {
    case "not-modified":
      return nothing(304, tags);
    case "failed":
      return nothing(412, tags);
    case "unsatisfiable":
      return nothing(416, [...fields, ["Content-Range", unsatisfiedRange(version.size)]]);
    case "head":
      return nothing(200, [...typed, ["Content-Length", String(version.size)]]);
    case "whole":
      return { status: 200, headers: typed, body: whole(body) };
    case "ranges":
      return ranged(of.ranges, body, type, fields);
  }
}

function whole(body: Verified): Body {
  const { size } = body.version;
  const bytes = body.whole;
  if (bytes === undefined) return streamed(body, body.lent(0, size), size);
  body.close();
  return { kind: "pieces", pieces: [bytes] };
}

function ranged(
  ranges: readonly Range[],
  body: Verified,
  type: string,
  fields: HttpResponse["headers"],
): HttpResponse {
  const { size } = body.version;
  const [first] = ranges;
  if (ranges.length === 1 && first !== undefined) {
    const { offset, length } = first;
    return {
      status: 206,
      headers: [["Content-Type", type], ...fields, ["Content-Range", contentRange(first, size)]],
      body: streamed(body, body.lent(offset, offset + length), length),
    };
  }
  const made = multipart(ranges, size, type, crypto.randomUUID().replaceAll("-", ""));
  async function* parts(): AsyncGenerator<Uint8Array, void> {
    for (const { head, range } of made.parts) {
      yield head;
      yield* body.lent(range.offset, range.offset + range.length);
    }
    yield made.tail;
  }
  return {
    status: 206,
    headers: [["Content-Type", made.contentType], ...fields],
    body: streamed(body, parts(), made.length),
  };
}

/** An error in the middle cuts the connection: the client sees that the length is not there. */
function streamed(body: Verified, bytes: AsyncGenerator<Uint8Array, void>, length: number): Body {
  if (length === 0) {
    body.close();
    return { kind: "pieces", pieces: [] };
  }
  return { kind: "flow", flow: new LentFlow(bytes, () => body.close()), length };
}
