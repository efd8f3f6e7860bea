import { headOf } from "../../../net/http1/response-writer.ts";
import type { Prepared, Second } from "../../../net/quick.ts";
import type { HttpResponse } from "../../../wire/http/message.ts";

const DATE = Buffer.from("\r\nDate: ", "latin1");
/** Bodies up to this size are kept behind their head: one call sends both. */
const MAX_PACKED = 8 * 1024;

/** A whole file as an answer, made ahead. */
export class Made implements Prepared {
  readonly status: number;
  stamp = 0;
  readonly packet: Uint8Array | undefined;
  readonly head: Uint8Array;
  readonly closing: Uint8Array;
  readonly body: Uint8Array;
  readonly file = undefined;
  /** Offset of the date in both heads. */
  readonly #dateAt: number;

  /** `body` must not be changed afterwards. */
  constructor(response: HttpResponse, body: Uint8Array) {
    const framing = { kind: "length", length: body.length } as const;
    const head = Buffer.from(headOf(response, framing, false));
    this.status = response.status;
    this.closing = Buffer.from(headOf(response, framing, true));
    this.#dateAt = head.indexOf(DATE) + DATE.length;
    this.packet = body.length > MAX_PACKED ? undefined : Buffer.concat([head, body]);
    this.head = this.packet?.subarray(0, head.length) ?? head;
    this.body = this.packet?.subarray(head.length) ?? body;
  }

  /** Bytes it takes. */
  get size(): number {
    return this.head.length + this.closing.length + this.body.length;
  }

  refresh({ second, bytes }: Second): void {
    this.head.set(bytes, this.#dateAt);
    this.closing.set(bytes, this.#dateAt);
    this.stamp = second;
  }
}
