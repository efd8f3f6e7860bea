/**
 * Frame Streams, the way dnstap travels: data frames are a length and bytes; a length of zero says
 * that a control frame follows, which is a length, a type and fields.
 *
 *     data      length (32)  bytes
 *     control   0 (32)  length (32)  type (32)  { field (32)  length (32)  bytes }
 *
 * In a file: START, data, STOP. Over a connection READY and ACCEPT go ahead, FINISH ends it.
 */

const CONTROL = { ACCEPT: 1, START: 2, STOP: 3, READY: 4, FINISH: 5 } as const;
type Control = (typeof CONTROL)[keyof typeof CONTROL];
/** The only field there is. */
const CONTENT_TYPE = 1;
const DNSTAP = new TextEncoder().encode("protobuf:dnstap.Dnstap");
/** No control frame has more: FSTRM_CONTROL_FRAME_LENGTH_MAX. */
const MAX_CONTROL = 512;
/** Bytes in front of a control frame: the zero, and its length. */
const HEAD = 8;

/** In front of the data, in a file. */
export const START: Uint8Array = control(CONTROL.START, true);
/** Behind it. */
export const STOP: Uint8Array = control(CONTROL.STOP, false);

/** The sender's side of a connection: what to say, given what was heard. */
export class FrameSender {
  /** `ready`: data may be sent. `refused`: the other side wants no dnstap, or speaks something else. */
  state: "greeting" | "ready" | "refused" = "greeting";
  #heard = new Uint8Array();

  /** To be said first. */
  hello(): Uint8Array {
    return control(CONTROL.READY, true);
  }

  /** Bytes came; what is to be said to that, which may be nothing. */
  feed(bytes: Uint8Array): Uint8Array {
    // Once it is ready all that can come is FINISH, and then the connection ends anyway.
    if (this.state !== "greeting") return NOTHING;
    const first = bytes.subarray(0, HEAD + MAX_CONTROL);
    const heard = (this.#heard = Uint8Array.of(...this.#heard, ...first));
    const view = new DataView(heard.buffer);
    if (heard.length < HEAD) return NOTHING;
    const end = HEAD + view.getUint32(4);
    if (view.getUint32(0) !== 0 || end < 12 || end > HEAD + MAX_CONTROL) return this.#refuse();
    if (heard.length < end) return NOTHING;
    if (view.getUint32(8) !== CONTROL.ACCEPT || !takesDnstap(view, end)) return this.#refuse();
    this.state = "ready";
    return START;
  }

  #refuse(): Uint8Array {
    this.state = "refused";
    return NOTHING;
  }
}

const NOTHING = new Uint8Array();

/** Whether ACCEPT names dnstap among what it takes; without a word it takes everything. */
function takesDnstap(view: DataView, end: number): boolean {
  let at = 12;
  for (; at + 8 <= end;) {
    const [field, from] = [view.getUint32(at), at + 8];
    at = from + view.getUint32(at + 4);
    if (field !== CONTENT_TYPE || at > end || at - from !== DNSTAP.length) continue;
    if (DNSTAP.every((byte, i) => view.getUint8(from + i) === byte)) return true;
  }
  return at === 12;
}

function control(type: Control, typed: boolean): Uint8Array {
  const length = typed ? 12 + DNSTAP.length : 4;
  const out = new Uint8Array(8 + length);
  const view = new DataView(out.buffer);
  view.setUint32(4, length);
  view.setUint32(8, type);
  if (!typed) return out;
  view.setUint32(12, CONTENT_TYPE);
  view.setUint32(16, DNSTAP.length);
  out.set(DNSTAP, 20);
  return out;
}
