/** One message of a netlink conversation (netlink(7)). `body` begins behind the header, and shares memory. */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Uint8Array;
}

/** An attribute's bytes by its type (rtnetlink(3)); nested ones are read by `attributes` again. */
export type Attributes = ReadonlyMap<number, Uint8Array>;

// struct nlmsghdr { u32 len; u16 type; u16 flags; u32 seq; u32 pid; }
const NLMSGHDR = 16;
// struct rtattr { u16 len; u16 type; }
const RTATTR = 4;
/** Both are padded to this. */
const ALIGN = 4;
/** Bits of an attribute's type that say how its payload is made. */
const NLA_TYPE_MASK = 0x3fff;

/** The messages of one datagram, or undefined when it is not made of whole messages. */
export function messages(bytes: Uint8Array): Message[] | undefined {
  const view = viewOf(bytes);
  const found: Message[] = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < NLMSGHDR) return undefined;
    const length = view.getUint32(at, true);
    if (length < NLMSGHDR || length > bytes.length - at) return undefined;
    found.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      body: bytes.subarray(at + NLMSGHDR, at + length),
    });
    at += aligned(length);
  }
  return found;
}

/** The attributes in `bytes`; undefined when they are not whole. The last of a type wins, as in the kernel. */
export function attributes(bytes: Uint8Array): Attributes | undefined {
  const view = viewOf(bytes);
  const found = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < RTATTR) return undefined;
    const length = view.getUint16(at, true);
    if (length < RTATTR || length > bytes.length - at) return undefined;
    found.set(
      view.getUint16(at + 2, true) & NLA_TYPE_MASK,
      bytes.subarray(at + RTATTR, at + length),
    );
    at += aligned(length);
  }
  return found;
}

/** A message of a kind of `head`, with attributes; those undefined are left out. */
export function emit(
  message: { type: number; flags: number; sequence: number },
  head: Uint8Array,
  parts: readonly (readonly [type: number, bytes: Uint8Array | undefined])[],
): Uint8Array<ArrayBuffer> {
  const present = parts.flatMap(([type, bytes]) => (bytes === undefined ? [] : [{ type, bytes }]));
  const size = present.reduce(
    (sum, { bytes }) => sum + aligned(RTATTR + bytes.length),
    NLMSGHDR + aligned(head.length),
  );
  const out = new Uint8Array(new ArrayBuffer(size));
  const view = viewOf(out);
  view.setUint32(0, size, true);
  view.setUint16(4, message.type, true);
  view.setUint16(6, message.flags, true);
  view.setUint32(8, message.sequence, true);
  out.set(head, NLMSGHDR);
  let at = NLMSGHDR + aligned(head.length);
  for (const { type, bytes } of present) {
    view.setUint16(at, RTATTR + bytes.length, true);
    view.setUint16(at + 2, type, true);
    out.set(bytes, at + RTATTR);
    at += aligned(RTATTR + bytes.length);
  }
  return out;
}

/** A 32-bit number as an attribute has it; undefined stays away. */
export function u32(value: number | undefined): Uint8Array | undefined {
  return value === undefined ? undefined : new Uint8Array(Uint32Array.of(value).buffer);
}

/** A text with its NUL. */
export function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`);
}

/** The number in an attribute; undefined when it is not there or not of that size. */
export function readU32(bytes: Uint8Array | undefined): number | undefined {
  return bytes?.length === 4 ? viewOf(bytes).getUint32(0, true) : undefined;
}

/** The text in an attribute, up to its NUL; "" when it is not there. */
export function readText(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return "";
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function aligned(length: number): number {
  return Math.ceil(length / ALIGN) * ALIGN;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
