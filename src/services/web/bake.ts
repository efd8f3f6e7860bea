/** Responses made ahead for the quick path: the full path's own answers, as bytes. */
import { headOf } from "../../net/http1/response-writer.ts";
import type { Prepared, Second } from "../../net/quick.ts";
import { formatDate } from "../../wire/http/date.ts";
import type { FileSlice, HttpResponse } from "../../wire/http/message.ts";
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
      ? new Made(full, bytes)
      : new Made(full, EMPTY, { file: { fd, offset, length }, hold, drop }),
    unchanged: new Made(unchanged(resource, variant, wall), EMPTY),
    etag: Buffer.from(etag, "latin1"),
    modified: Buffer.from(formatDate(resource.facts.mtimeMs), "latin1"),
  };
}

/** A body in a file that is kept open. */
interface OpenFile {
  readonly file: FileSlice;
  hold(): void;
  drop(): void;
}

class Made implements Prepared {
  readonly status: number;
  stamp = 0;
  readonly packet: Uint8Array | undefined;
  readonly head: Uint8Array;
  readonly closing: Uint8Array;
  readonly body: Uint8Array;
  readonly file: FileSlice | undefined;
  /** Offset of the date in both heads. */
  readonly #dateAt: number;
  readonly #open: OpenFile | undefined;

  /** `response` has its Content-Length among its fields, if it has one. */
  constructor(response: HttpResponse, content: Uint8Array, open?: OpenFile) {
    this.status = response.status;
    this.file = open?.file;
    this.#open = open;
    this.head = headOf(response, BARE, false);
    this.closing = Buffer.from(headOf(response, BARE, true));
    this.#dateAt = Buffer.from(this.head).indexOf(DATE) + DATE.length;
    if (Buffer.from(this.closing).indexOf(DATE) + DATE.length !== this.#dateAt)
      throw new Error("the date moved with Connection");
    this.body = content;
    if (content.length > MAX_PACKED || open !== undefined) return;
    const { length } = this.head;
    this.packet = new Uint8Array(new ArrayBuffer(length + content.length));
    this.packet.set(this.head);
    this.packet.set(content, length);
    this.head = this.packet.subarray(0, length);
    this.body = this.packet.subarray(length);
  }

  refresh({ second, bytes }: Second): void {
    this.head.set(bytes, this.#dateAt);
    this.closing.set(bytes, this.#dateAt);
    this.stamp = second;
  }

  hold(): void {
    this.#open?.hold();
  }
  drop(): void {
    this.#open?.drop();
  }
}
