/** Responses made ahead for the quick path: the full path's own answers, as bytes. */
import { headOf } from "../../net/http1/response-writer.ts";
import type { Prepared } from "../../net/quick.ts";
import { formatDate } from "../../wire/http/date.ts";
import type { HttpResponse } from "../../wire/http/message.ts";
import { unchanged, whole } from "./answer.ts";
import type { Baked, Resource, Variant } from "./resource.ts";

const EMPTY = new Uint8Array();
const BARE = { kind: "bare" } as const;
const DATE = Buffer.from("\r\nDate: ", "latin1");

/** Bodies up to this size are kept once more, behind their head: one call sends both. */
const MAX_PACKED = 8 * 1024;

/** The answers for one variant. `wall` is the time in milliseconds since 1970. */
export function bake(resource: Resource, variant: Variant, wall: number): Baked {
  const { bytes, etag, fd, length, offset } = variant;
  const hold = (): void => resource.hold();
  const drop = (): void => resource.drop();
  const full = whole(resource, variant, wall, true);
  return {
    variant,
    whole: bytes
      ? made(full, bytes)
      : { ...made(full, EMPTY), packet: undefined, file: { fd, offset, length }, hold, drop },
    unchanged: made(unchanged(resource, variant, wall), EMPTY),
    etag: Buffer.from(etag, "latin1"),
    modified: Buffer.from(formatDate(resource.facts.mtimeMs), "latin1"),
  };
}

/** `response` has its Content-Length among its fields, if it has one. */
function made(response: HttpResponse, content: Uint8Array): Prepared {
  const open = headOf(response, BARE, false);
  const closing = Buffer.from(headOf(response, BARE, true));
  const dateAt = Buffer.from(open).indexOf(DATE) + DATE.length;
  if (closing.indexOf(DATE) + DATE.length !== dateAt)
    throw new Error("the date moved with Connection");
  const made = { status: response.status, stamp: 0, closing, dateAt, file: undefined };
  if (content.length > MAX_PACKED) return { ...made, packet: undefined, head: open, body: content };
  const packet = new Uint8Array(new ArrayBuffer(open.length + content.length));
  packet.set(open);
  packet.set(content, open.length);
  const head = packet.subarray(0, open.length);
  return { ...made, packet, head, body: packet.subarray(open.length) };
}
