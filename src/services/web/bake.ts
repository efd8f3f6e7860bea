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

/** The answers for one variant. `wall` is the time in milliseconds since 1970. */
export function bake(resource: Resource, variant: Variant, wall: number): Baked {
  const { bytes, etag, fd, length, offset } = variant;
  const hold = (): void => resource.hold();
  const drop = (): void => resource.drop();
  const full = heads(whole(resource, variant, wall, true));
  return {
    variant,
    whole: bytes
      ? { ...full, body: bytes, file: undefined }
      : { ...full, body: EMPTY, file: { fd, offset, length }, hold, drop },
    unchanged: { ...heads(unchanged(resource, variant, wall)), body: EMPTY, file: undefined },
    etag: Buffer.from(etag, "latin1"),
    modified: Buffer.from(formatDate(resource.facts.mtimeMs), "latin1"),
  };
}

/** `response` has its Content-Length among its fields, if it has one. */
function heads(response: HttpResponse): Pick<Prepared, "status" | "head" | "closing" | "dateAt"> {
  const head = Buffer.from(headOf(response, BARE, false));
  const closing = Buffer.from(headOf(response, BARE, true));
  const dateAt = head.indexOf(DATE) + DATE.length;
  if (closing.indexOf(DATE) + DATE.length !== dateAt)
    throw new Error("the date moved with Connection");
  return { status: response.status, head, closing, dateAt };
}
