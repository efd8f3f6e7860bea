import type { FileSlice, HttpResponse } from "../../wire/http/message.ts";
import type { Prepared, Second } from "../quick.ts";
import { type Framing, headOf } from "./response-writer.ts";

const DATE = Buffer.from("\r\nDate: ", "latin1");
/** Bodies up to this size are kept behind their head: one call sends both. */
const MAX_PACKED = 8 * 1024;

/** A body in a file that is kept open. */
interface OpenFile {
  readonly file: FileSlice;
  hold(): void;
  drop(): void;
}

/** A response made ahead, from what the full path would say. */
export class Made implements Prepared {
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

  /**
   * `content`, all of its body, must not be changed afterwards. With the framing "bare" `response` has
   * its Content-Length among its fields, if it has one.
   */
  constructor(response: HttpResponse, framing: Framing, content: Uint8Array, open?: OpenFile) {
    this.status = response.status;
    this.file = open?.file;
    this.#open = open;
    this.head = headOf(response, framing, false);
    this.closing = Buffer.from(headOf(response, framing, true));
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

  /** Bytes of memory it takes. */
  get size(): number {
    return this.head.length + this.closing.length + this.body.length;
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
