/** Most that waits here: a frame, and what comes with its end. */
const ROOM = 2 * 65_536;
const LENGTH_WORD = 4;
const FRAME_HEAD = 2;

/**
 * What a stream brought, taken in the portions that 3wdd sends: numbers and texts of the login, then
 * frames, wherever the stream was cut. (3wdd itself reads once and takes what comes for all of it.)
 */
export class Inbox {
  readonly #bytes = new Uint8Array(new ArrayBuffer(ROOM));
  readonly #view = new DataView(this.#bytes.buffer);
  #from = 0;
  #to = 0;

  /** Bytes that `put` takes. It is never 0 when all that can be taken was taken. */
  get room(): number {
    return ROOM - (this.#to - this.#from);
  }
  /** Nothing waits to be completed. */
  get isEmpty(): boolean {
    return this.#from === this.#to;
  }

  /** `bytes`, of which there is room for. */
  put(bytes: Uint8Array): void {
    if (this.#to + bytes.length > ROOM) {
      this.#bytes.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
    }
    this.#bytes.set(bytes, this.#to);
    this.#to += bytes.length;
  }

  /** The next number of the login. */
  word(): number | undefined {
    if (this.#to - this.#from < LENGTH_WORD) return undefined;
    const word = this.#view.getInt32(this.#from);
    this.#from += LENGTH_WORD;
    return word;
  }

  /** The next text of the login, with its length. "" when it is none, or longer than `most`. */
  text(most: number): string | undefined {
    if (this.#to - this.#from < LENGTH_WORD) return undefined;
    const length = this.#view.getInt32(this.#from);
    if (length < 1 || length > most) return "";
    const start = this.#from + LENGTH_WORD;
    if (start + length > this.#to) return undefined;
    this.#from = start + length;
    return new TextDecoder("latin1").decode(this.#bytes.subarray(start, start + length));
  }

  /** The body of the next frame, until the next call of `put`. */
  frame(): Uint8Array | undefined {
    if (this.#to - this.#from < FRAME_HEAD) return undefined;
    const start = this.#from + FRAME_HEAD;
    const end = start + this.#view.getUint16(this.#from);
    if (end > this.#to) return undefined;
    this.#from = end;
    return this.#bytes.subarray(start, end);
  }
}

/** A body as it is on the wire; undefined: it is too long for a frame. */
export function emitFrame(body: Uint8Array): Uint8Array | undefined {
  if (body.length > 0xffff) return undefined;
  const out = new Uint8Array(FRAME_HEAD + body.length);
  new DataView(out.buffer).setUint16(0, body.length);
  out.set(body, FRAME_HEAD);
  return out;
}
