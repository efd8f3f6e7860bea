import { ChunkedDecoder } from "../../../wire/http1/chunked.ts";

/** Bytes of a head; what is longer is no health page. */
const MAX_HEAD = 16 * 1024;
/** Bytes of a body that are looked through. */
const MAX_BODY = 64 * 1024;
const STATUS_LINE = /^HTTP\/1\.[01] ([1-5]\d\d)(?: [^\r\n]*)?\r?\n/;

/** What a probe wants to know of a response. */
export interface Wanted {
  readonly expect: readonly { readonly first: number; readonly last: number }[];
  readonly body: string | undefined;
}

/** Reads a response only as far as the verdict needs. */
export class HttpReply {
  readonly #wanted: Wanted;
  #head = "";
  #body: string | undefined;
  #chunks: ChunkedDecoder | undefined;
  /** Bytes of the body still to come; Infinity: until the end. */
  #left = Infinity;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  /** "good", why not, or undefined while it takes more bytes to tell. */
  feed(bytes: Uint8Array): string | undefined {
    // Latin-1: every byte is one character, so lengths are bytes.
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    if (this.#body !== undefined) return this.#more(text);
    this.#head += text;
    return this.#readHead();
  }

  /** The verdict when the connection ends here. */
  end(): string {
    if (this.#body !== undefined) return "the text was not in the body";
    return this.#head === "" ? "closed without an answer" : "closed within the head";
  }

  #readHead(): string | undefined {
    const end = /\r?\n\r?\n/.exec(this.#head);
    if (end === null) return this.#head.length > MAX_HEAD ? "the head is too long" : undefined;
    const body = this.#head.slice(end.index + end[0].length);
    const head = this.#head.slice(0, end.index + end[0].length);
    const status = Number(STATUS_LINE.exec(head)?.[1] ?? 0);
    if (status === 0) return "the answer is not HTTP/1";
    if (status < 200) {
      this.#head = body; // an interim response: the real one follows
      return this.#readHead();
    }
    const good = this.#wanted.expect.some(({ first, last }) => status >= first && status <= last);
    if (!good) return `status ${status}`;
    if (this.#wanted.body === undefined) return "good";
    this.#body = "";
    if (/\r?\ntransfer-encoding:[^\r\n]*\bchunked\s*\r?\n/i.test(head))
      this.#chunks = new ChunkedDecoder(MAX_BODY);
    const length = /\r?\ncontent-length:\s*(\d+)\s*\r?\n/i.exec(head)?.[1];
    if (length !== undefined && !this.#chunks) this.#left = Number(length);
    return this.#more(body);
  }

  #more(text: string): string | undefined {
    const { body = "" } = this.#wanted;
    let over = false;
    let known = this.#body ?? "";
    if (this.#chunks) {
      this.#chunks.push(Buffer.from(text, "latin1"), 0, text.length, (from, to) => {
        known += text.slice(from, to);
      });
      over = this.#chunks.state !== "more";
    } else {
      known += text.slice(0, this.#left);
      this.#left -= text.length;
      over = this.#left <= 0;
    }
    this.#body = known;
    if (known.includes(Buffer.from(body, "utf8").toString("latin1"))) return "good";
    return over || known.length > MAX_BODY ? this.end() : undefined;
  }
}
