/** Responses made ahead for the quick path: the full path's own answers, as bytes. */
import { Made } from "../../net/http1/made.ts";
import { formatDate } from "../../wire/http/date.ts";
import { unchanged, whole } from "./answer.ts";
import type { Baked, Resource, Variant } from "./resource.ts";

const EMPTY = new Uint8Array();
const BARE = { kind: "bare" } as const;

/** The answers for one variant. `wall` is the time in milliseconds since 1970. */
export function bake(resource: Resource, variant: Variant, wall: number): Baked {
  const { bytes, etag, fd, length, offset } = variant;
  const hold = (): void => resource.hold();
  const drop = (): void => resource.drop();
  const full = whole(resource, variant, wall, true);
  return {
    variant,
    whole: bytes
      ? new Made(full, BARE, bytes)
      : new Made(full, BARE, EMPTY, { file: { fd, offset, length }, hold, drop }),
    unchanged: new Made(unchanged(resource, variant, wall), BARE, EMPTY),
    etag: Buffer.from(etag, "latin1"),
    modified: Buffer.from(formatDate(resource.facts.mtimeMs), "latin1"),
  };
}
